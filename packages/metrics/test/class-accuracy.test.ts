import { hostArray, hostZeros } from '@meanflow/core';
import { classAccuracy, classFrechetDistance } from '../src/index.js';
import { points, readJson } from './read-test-data.js';

const { real, fake, classFrechet } = readJson<Record<'real' | 'fake', number[][]> & { classFrechet: number }>(
  'manifolds.json',
);
const labels = (values: readonly number[]) => hostArray(values, { dtype: 'int32' });

describe('classAccuracy', () => {
  it('counts the rows whose largest logit is their label’s, the first of equal ones', () => {
    const logits = hostArray([
      [1, 2, 3],
      [3, 2, 1],
      [5, 5, 1],
      [5, 5, 1],
      [NaN, 1, 0],
    ]);
    expect(classAccuracy(logits, labels([2, 1, 0, 1, 0]))).toBe(2 / 5);
  });

  it('refuses labels that do not fit', () => {
    expect(() => classAccuracy(hostZeros([2, 3]), labels([0, 3]))).toThrow('from 0 to 2');
    expect(() => classAccuracy(hostZeros([2, 3]), labels([0]))).toThrow('each of 2 rows, got [1]');
    expect(() => classAccuracy(hostZeros([6]), labels([0]))).toThrow('[rows, classes]');
  });
});

describe('classFrechetDistance', () => {
  const parity = (count: number) => labels(Array.from({ length: count }, (_, i) => i % 2));

  it('agrees with SciPy', () => {
    const distance = classFrechetDistance(points(fake), parity(30), points(real), parity(40));
    expect(distance).toBeCloseTo(classFrechet, 10);
  });

  it('sees classes that are mixed up, which the whole set does not show', () => {
    const a = points([[0], [0.1], [5], [5.1]]);
    expect(classFrechetDistance(a, labels([0, 0, 1, 1]), a, labels([0, 0, 1, 1]))).toBeLessThan(1e-12);
    expect(classFrechetDistance(a, labels([1, 1, 0, 0]), a, labels([0, 0, 1, 1]))).toBeCloseTo(25, 9);
  });

  it('refuses a class with too few rows', () => {
    expect(() =>
      classFrechetDistance(points(fake), parity(30), points(real), labels(new Array(40).fill(0))),
    ).toThrow('Class 1 has 15 samples and 0 reference samples');
  });
});
