import { DataError, hostArray, hostZeros, RandomKey } from '@meanflow/core';
import { FeatureAccumulator, featureStatistics } from '../src/index.js';
import { points, readJson } from './read-test-data.js';

const { real, mean, covariance } = readJson<Record<'real' | 'covariance', number[][]> & { mean: number[] }>(
  'manifolds.json',
);

describe('FeatureAccumulator', () => {
  it('agrees with NumPy, however the rows are parted', () => {
    for (const parts of [[40], [1, 39], [13, 1, 26], new Array<number>(40).fill(1)]) {
      const accumulator = new FeatureAccumulator(3);
      let start = 0;
      for (const rows of parts) accumulator.add(points(real).rows(start, (start += rows)));
      expect(accumulator.count).toBe(40);
      const found = accumulator.statistics();
      found.mean.data.forEach((value, i) => expect(value).toBeCloseTo(mean[i], 13));
      found.covariance.data.forEach((value, i) => expect(value).toBeCloseTo(covariance.flat()[i], 13));
    }
  });

  it('merges what was collected apart, and an empty one', () => {
    const whole = new FeatureAccumulator(3).add(points(real)).statistics();
    const first = new FeatureAccumulator(3).add(points(real).rows(0, 7));
    const second = new FeatureAccumulator(3).add(points(real).rows(7, 40));
    const merged = new FeatureAccumulator(3).merge(first).merge(second).merge(new FeatureAccumulator(3));
    expect(merged.count).toBe(40);
    merged.statistics().covariance.data.forEach((value, i) => {
      expect(value).toBeCloseTo(whole.covariance.data[i], 13);
    });
    // What was merged in is still its own.
    expect(second.count).toBe(33);
    expect(second.add(points(real).rows(0, 7)).statistics().mean.data[0]).toBeCloseTo(mean[0], 13);
  });

  it('keeps its digits where the mean is large', () => {
    const noise = RandomKey.fromSeed(3).normal([1000, 2]).to('float64');
    const shifted = hostArray(
      noise.data.map((value) => value + 1e6),
      { dtype: 'float64', shape: [1000, 2] },
    );
    const expected = featureStatistics(noise).covariance.data;
    const accumulator = new FeatureAccumulator(2);
    for (let row = 0; row < 1000; row += 10) accumulator.add(shifted.rows(row, row + 10));
    accumulator.statistics().covariance.data.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 8));
  });

  it('refuses other features and too few rows, and takes in nothing that is not finite', () => {
    const accumulator = new FeatureAccumulator(3);
    expect(() => accumulator.statistics()).toThrow('at least 2 rows of features, got 0');
    expect(() => accumulator.add(hostZeros([2, 4]))).toThrow('take [rows, 3], got [2, 4]');
    expect(() => accumulator.merge(new FeatureAccumulator(4))).toThrow('cannot take in those of 4');
    expect(() => accumulator.add(hostArray([[1, 2, NaN]]))).toThrow(DataError);
    expect(accumulator.count).toBe(0);
    expect(() => new FeatureAccumulator(0)).toThrow('got 0');
  });
});
