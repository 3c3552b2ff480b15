import { hostArray } from '@meanflow/core';
import { inceptionScore } from '../src/index.js';

const logits = (rows: number[][]) => hostArray(rows, { dtype: 'float64' });

test('rows of one class each, all classes equally often, score the number of classes', () => {
  const certain = [0, 1, 2].map((k) => [0, 1, 2].map((j) => (j === k ? 100 : 0)));
  const { mean, std } = inceptionScore(logits(certain), { splits: 1 });
  expect(mean).toBeCloseTo(3, 6);
  expect(std).toBe(0);
});

test('equal rows score 1', () => {
  expect(inceptionScore(logits([[1, 2], [1, 2], [1, 2], [1, 2]]), { splits: 2 }).mean).toBeCloseTo(1, 12); // prettier-ignore
});

test('the order decides which rows share a part', () => {
  const rows = [[100, 0], [100, 0], [0, 100], [0, 100]]; // prettier-ignore
  const order = hostArray([0, 2, 1, 3], { dtype: 'int32' });
  expect(inceptionScore(logits(rows), { splits: 2 }).mean).toBeCloseTo(1, 6);
  expect(inceptionScore(logits(rows), { splits: 2, order }).mean).toBeCloseTo(2, 6);
  expect(inceptionScore(logits(rows), { splits: 1 }).mean).toBeCloseTo(2, 6);
});

test('fewer rows than parts, or an order of other length, is refused', () => {
  expect(() => inceptionScore(logits([[1, 2]]))).toThrow(/at least 10 rows, got \[1, 2\]/);
  const order = hostArray([0], { dtype: 'int32' });
  expect(() => inceptionScore(logits([[1, 2], [2, 1]]), { splits: 1, order })).toThrow(/each of 2 rows, got 1/); // prettier-ignore
});
