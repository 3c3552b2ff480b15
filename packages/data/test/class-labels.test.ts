import { countClasses, proportionalLabels } from '../src/index.js';

describe('proportionalLabels', () => {
  const draw = (weights: number[], count: number): number[] => [...proportionalLabels(weights, count).data];

  it('goes round equal classes', () => {
    expect(draw([7, 7, 7], 8)).toEqual([0, 1, 2, 0, 1, 2, 0, 1]);
  });

  it('follows the weights: exactly at their sum, and at every beginning to within one of the share', () => {
    const weights = [904, 96, 0, 250];
    const labels = draw(weights, 1250);
    expect(countClasses(labels, 4)).toEqual(weights);
    for (const rows of [1, 10, 200, 777]) {
      countClasses(labels.slice(0, rows), 4).forEach((found, label) =>
        expect(Math.abs(found - (rows * weights[label]) / 1250)).toBeLessThan(1),
      );
    }
    expect(draw(weights, 300)).toEqual(labels.slice(0, 300));
  });

  it('refuses weights that say nothing', () => {
    expect(() => draw([0, 0], 1)).toThrow('finite weights from 0, one of them positive, got 0, 0');
    expect(() => draw([1, -1], 1)).toThrow('got 1, -1');
    expect(() => draw([], 1)).toThrow('one of them positive');
  });
});
