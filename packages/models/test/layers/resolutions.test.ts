/** Half and twice the size, by means and by repetition. */
import { hostArray } from '@meanflow/core';
import { doubled, halved } from '../../src/layers/resample.js';
import { evaluate } from '../helpers.js';

const image = hostArray(
  Float32Array.from({ length: 48 }, (_, i) => i * i),
  { shape: [1, 2, 4, 6] },
);
const at = (values: ArrayLike<number>, height: number, width: number) => (c: number, y: number, x: number) =>
  values[(c * height + y) * width + x]!;
const places = (height: number, width: number) =>
  [0, 1].flatMap((c) =>
    Array.from({ length: height * width }, (_, i) => [c, Math.floor(i / width), i % width] as const),
  );

test('halved: the mean of each square', () => {
  const { y } = evaluate(({ x }) => ({ y: halved(x) }), { x: image });
  expect(y.shape).toEqual([1, 2, 2, 3]);
  const [was, is] = [at(image.data, 4, 6), at(y.data, 2, 3)];
  for (const [c, i, j] of places(2, 3)) {
    const square = [0, 1].flatMap((a) => [0, 1].map((b) => was(c, 2 * i + a, 2 * j + b)));
    expect(is(c, i, j)).toBeCloseTo(square.reduce((sum, value) => sum + value) / 4, 4);
  }
});

test('doubled: each pixel four times', () => {
  const { y } = evaluate(({ x }) => ({ y: doubled(x) }), { x: image });
  expect(y.shape).toEqual([1, 2, 8, 12]);
  const [was, is] = [at(image.data, 4, 6), at(y.data, 8, 12)];
  for (const [c, i, j] of places(8, 12)) expect(is(c, i, j)).toBe(was(c, i >> 1, j >> 1));
});
