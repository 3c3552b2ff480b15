import { hostArray, hostZeros, RandomKey } from '@meanflow/core';
import { densityCoverage, precisionRecall } from '../src/index.js';
import { points, readJson } from './read-test-data.js';

type Scores = Record<'precision' | 'recall' | 'density' | 'coverage', number>;
const { real, fake, byNeighbours } = readJson<{
  real: number[][];
  fake: number[][];
  byNeighbours: Record<string, Scores>;
}>('manifolds.json');

describe('precisionRecall and densityCoverage', () => {
  it.each(Object.entries(byNeighbours))('agree with NumPy at %s neighbours', (k, expected) => {
    const options = { neighbours: Number(k) };
    const found = {
      ...precisionRecall(points(fake), points(real), options),
      ...densityCoverage(points(fake), points(real), options),
    };
    for (const name of ['precision', 'recall', 'density', 'coverage'] as const) {
      expect(found[name]).toBeCloseTo(expected[name], 14);
    }
  });

  it('are exact where they can be counted: balls of radius 1 around 0, 1, 2 and of 8 around 10', () => {
    const reference = points([[0], [1], [2], [10]]);
    const samples = points([[0.5], [1], [5], [30]]);
    // Of the samples, 0.5 is in two balls, 1 in three, 5 in the wide one, 30 in none.
    expect(densityCoverage(samples, reference, { neighbours: 1 })).toEqual({ density: 6 / 4, coverage: 1 });
    // Around the samples the radii are 0.5, 0.5, 4 and 25: 0, 1, 2 and 10 all lie in a ball.
    expect(precisionRecall(samples, reference, { neighbours: 1 })).toEqual({ precision: 3 / 4, recall: 1 });
  });

  it('are 1 for a set against itself, and 0 for sets apart', () => {
    const a = RandomKey.fromSeed(1).normal([50, 4]);
    const far = hostArray(
      a.data.map((value) => value + 1000),
      { shape: [50, 4] },
    );
    expect(precisionRecall(a, a)).toEqual({ precision: 1, recall: 1 });
    expect(densityCoverage(a, a).coverage).toBe(1);
    expect(precisionRecall(a, far)).toEqual({ precision: 0, recall: 0 });
    expect(densityCoverage(a, far)).toEqual({ density: 0, coverage: 0 });
  });

  it('tell collapse from noise: samples at one mode are precise without recall, scattered ones the reverse', () => {
    const reference = RandomKey.fromSeed(2).normal([200, 2]);
    const collapsed = hostArray(
      RandomKey.fromSeed(3)
        .normal([200, 2])
        .data.map((value) => 0.05 * value),
      { shape: [200, 2] },
    );
    const scattered = hostArray(
      RandomKey.fromSeed(4)
        .normal([200, 2])
        .data.map((value) => 10 * value),
      { shape: [200, 2] },
    );
    const [narrow, wide] = [collapsed, scattered].map((samples) => precisionRecall(samples, reference));
    expect(narrow.precision).toBeGreaterThan(0.9);
    expect(narrow.recall).toBeLessThan(0.1);
    expect(wide.precision).toBeLessThan(0.2);
    expect(wide.recall).toBeGreaterThan(0.7);
    expect(densityCoverage(collapsed, reference).coverage).toBeLessThan(0.2);
  });

  it('refuse too few rows and no neighbour', () => {
    expect(() => precisionRecall(hostZeros([3, 2]), hostZeros([9, 2]))).toThrow(
      'needs at least 4 rows, got 3',
    );
    expect(() => densityCoverage(hostZeros([9, 2]), hostZeros([9, 2]), { neighbours: 0 })).toThrow('got 0');
    expect(() => densityCoverage(hostZeros([9, 2]), hostZeros([9, 3]))).toThrow('have 2 features');
  });
});
