import { DataError, RandomKey, ShapeError, hostArray, hostZeros } from '@meanflow/core';
import { slicedWasserstein2, sortedWasserstein2Squared } from '../src/index.js';
import { points } from './read-test-data.js';
import { expected, x, y, z } from './two-sample.js';

describe('slicedWasserstein2', () => {
  const directions = points(expected.directions);

  it('agrees with POT along given directions, for equal and unequal counts', () => {
    expect(slicedWasserstein2(x, z, { directions })).toBeCloseTo(expected.slicedWasserstein2.xz, 12);
    expect(slicedWasserstein2(x, y, { directions })).toBeCloseTo(expected.slicedWasserstein2.xy, 12);
  });

  it('agrees with POT on the line', () => {
    const column = (rows: number[][]) => Float64Array.from(rows, (row) => row[0]).sort();
    const squared = sortedWasserstein2Squared(column(expected.x), column(expected.y));
    expect(squared).toBeCloseTo(expected.firstColumn.wasserstein2Squared, 12);
    expect(sortedWasserstein2Squared(Float64Array.of(0), Float64Array.of(-1, 2, 3))).toBeCloseTo(14 / 3, 14);
  });

  it('is the length of a shift, divided by √features on average over directions', () => {
    const key = RandomKey.fromSeed(1);
    const sample = key.normal([500, 3]).to('float64');
    const shift = [3, -4, 12];
    const shifted = points(
      [...Array(500).keys()].map((row) => shift.map((by, i) => sample.data[3 * row + i] + by)),
    );
    const distance = slicedWasserstein2(shifted, sample, { projections: 4000 });
    // The mean of (θ·shift)² is 169/3; its standard error over 4,000 directions is 0.8.
    expect(Math.abs(distance ** 2 - 169 / 3)).toBeLessThan(3.2);
    const along = slicedWasserstein2(shifted, sample, { directions: points([shift]) });
    expect(along).toBeCloseTo(13, 5);
  });

  it('is that of Gaussians, (σ₁ − σ₂)² along any line, to the sampling error', () => {
    const key = RandomKey.fromSeed(2);
    const narrow = key.fold(0).normal([20_000, 2]);
    const wide = key.fold(1).normal([10_000, 2]);
    const widened = hostArray(
      wide.data.map((value) => 3 * value),
      { shape: wide.shape },
    );
    expect(Math.abs(slicedWasserstein2(narrow, widened, { projections: 16 }) - 2)).toBeLessThan(0.06);
  });

  it('is zero for equal samples in any order, symmetric, and the same for the same key', () => {
    const reversed = points([...expected.x].reverse());
    expect(slicedWasserstein2(x, reversed)).toBeLessThan(1e-12);
    expect(slicedWasserstein2(x, y)).toBeCloseTo(slicedWasserstein2(y, x), 12);
    expect(slicedWasserstein2(x, y)).toBe(slicedWasserstein2(x, y, { key: RandomKey.fromSeed(0) }));
    expect(slicedWasserstein2(x, y)).not.toBe(slicedWasserstein2(x, y, { key: RandomKey.fromSeed(1) }));
    // Rows given twice are the same distribution.
    expect(slicedWasserstein2(x, points([...expected.x, ...expected.x]))).toBeLessThan(1e-12);
  });

  it('flattens features of any shape', () => {
    expect(slicedWasserstein2(x.reshape([40, 1, 3]), y)).toBe(slicedWasserstein2(x, y));
  });

  it('refuses what it cannot compare', () => {
    expect(() => slicedWasserstein2(x, hostZeros([4, 2]))).toThrow(ShapeError);
    expect(() => slicedWasserstein2(x, hostZeros([4, 2]))).toThrow(
      'The samples have 3 features and the reference samples 2, expected as many.',
    );
    expect(() => slicedWasserstein2(hostZeros([0, 3]), y)).toThrow(
      'The samples are [0, 3], expected [rows, ...features]',
    );
    expect(() => slicedWasserstein2(hostZeros([3]), y)).toThrow('The samples are [3]');
    const diverged = hostArray([1, 2, NaN, 4, 5, Infinity], { shape: [2, 3] });
    expect(() => slicedWasserstein2(diverged, y)).toThrow(DataError);
    expect(() => slicedWasserstein2(diverged, y)).toThrow('The samples hold NaN in row 0, feature 2');
    expect(() => slicedWasserstein2(x, y, { projections: 0 })).toThrow('whole number of projections, got 0');
    expect(() => slicedWasserstein2(x, y, { directions: points([[1, 0]]) })).toThrow(
      'Directions are [projections, 3]',
    );
    expect(() => slicedWasserstein2(x, y, { directions: points([[0, 0, 0]]) })).toThrow(
      'A direction has a length',
    );
  });
});
