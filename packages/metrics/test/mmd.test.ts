import { RandomKey, hostArray, hostZeros } from '@meanflow/core';
import { medianDistance, mmdSquared } from '../src/index.js';
import { expected, x, y } from './two-sample.js';

describe('mmdSquared', () => {
  it.each(expected.mmd)(
    'agrees with scikit-learn at bandwidth $bandwidth',
    ({ bandwidth, biased, unbiased }) => {
      expect(mmdSquared(x, y, { bandwidth, estimator: 'biased' })).toBeCloseTo(biased, 13);
      expect(mmdSquared(x, y, { bandwidth, estimator: 'unbiased' })).toBeCloseTo(unbiased, 13);
      expect(mmdSquared(x, y, { bandwidth })).toBe(mmdSquared(x, y, { bandwidth, estimator: 'unbiased' }));
    },
  );

  it('has the closed form of a collapsed sample against a standard Gaussian of the plane', () => {
    const gaussian = RandomKey.fromSeed(5).normal([3000, 2]);
    const s = 0.5;
    // All at the origin: 1 + s²/(s² + 2) − 2·s²/(s² + 1).
    const exact = 1 + s ** 2 / (s ** 2 + 2) - (2 * s ** 2) / (s ** 2 + 1);
    expect(Math.abs(mmdSquared(hostZeros([100, 2]), gaussian, { bandwidth: s }) - exact)).toBeLessThan(0.02);
  });

  it('is about zero between samples of one distribution, and zero for equal ones when biased', () => {
    const key = RandomKey.fromSeed(6);
    const [first, second] = [0, 1].map((i) => key.fold(i).normal([2000, 2]));
    expect(Math.abs(mmdSquared(first, second, { bandwidth: 0.2 }))).toBeLessThan(5e-4);
    expect(mmdSquared(first, first, { bandwidth: 0.2, estimator: 'biased' })).toBeCloseTo(0, 13);
  });

  it('refuses a bandwidth that is not positive', () => {
    for (const bandwidth of [0, -1, NaN, Infinity]) {
      expect(() => mmdSquared(x, y, { bandwidth })).toThrow(`a positive number, got ${bandwidth}`);
    }
  });
});

describe('medianDistance', () => {
  it('is the upper median over pairs', () => {
    expect(medianDistance(y)).toBeCloseTo(expected.medianDistanceOfY, 12);
  });

  it('chooses 1,000 of more points, by key', () => {
    const many = RandomKey.fromSeed(8).normal([1500, 1]);
    // The median of |N(0, 2)|.
    expect(Math.abs(medianDistance(many) - 0.9539)).toBeLessThan(0.05);
    expect(medianDistance(many, RandomKey.fromSeed(1))).not.toBe(medianDistance(many));
  });

  it('refuses points that are nearly all the same', () => {
    expect(() => medianDistance(hostZeros([5, 2]))).toThrow('their median distance is 0');
    expect(() => medianDistance(hostArray([[1, 2]]))).toThrow('at least 2 rows');
  });
});
