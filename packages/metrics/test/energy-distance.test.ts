import { RandomKey, hostArray, hostZeros } from '@meanflow/core';
import { energyDistance } from '../src/index.js';
import { points } from './read-test-data.js';
import { expected, x, y } from './two-sample.js';

describe('energyDistance', () => {
  it('agrees with scipy, biased and unbiased', () => {
    expect(energyDistance(x, y, { estimator: 'biased' })).toBeCloseTo(expected.energyDistance.biased, 12);
    expect(energyDistance(x, y, { estimator: 'unbiased' })).toBeCloseTo(expected.energyDistance.unbiased, 12);
    expect(energyDistance(x, y)).toBe(energyDistance(x, y, { estimator: 'unbiased' }));
  });

  it('agrees with scipy.stats.energy_distance on the line', () => {
    const [first, second] = [expected.x, expected.y].map((rows) => points(rows.map((row) => [row[0]])));
    const distance = energyDistance(first, second, { estimator: 'biased' });
    expect(distance).toBeCloseTo(expected.firstColumn.energyDistance, 12);
  });

  it('has the closed form of two Gaussians of the line', () => {
    const key = RandomKey.fromSeed(4);
    const first = key.fold(0).normal([2000, 1]);
    const second = key.fold(1).normal([2000, 1]);
    const shifted = hostArray(
      second.data.map((value) => value + 1),
      { shape: second.shape },
    );
    // E|N(1, 2)| is 2/√π·exp(−1/4) + erf(1/2), E|N(0, 2)| is 2/√π; erf(1/2) = .5204998778.
    const mean = 2 / Math.sqrt(Math.PI);
    const exact = 2 * (mean * Math.exp(-1 / 4) + 0.5204998778) - 2 * mean;
    expect(Math.abs(energyDistance(first, shifted) - exact)).toBeLessThan(0.08);
    // Unbiased: samples of one distribution differ by nothing on average.
    expect(Math.abs(energyDistance(first, second))).toBeLessThan(0.003);
  });

  it('needs two rows on each side to be unbiased, one to be biased', () => {
    expect(() => energyDistance(hostZeros([1, 3]), y)).toThrow('The samples are [1, 3], expected');
    expect(energyDistance(hostZeros([1, 1]), hostArray([[3]]), { estimator: 'biased' })).toBe(6);
  });
});
