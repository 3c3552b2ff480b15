import { hostArray, RandomKey, treeLeaves, type HostArray } from '@meanflow/core';
import { conv2d, conv2dParameters } from '../../src/layers/conv2d.js';
import { initialParameters } from '../../src/layers/parameters.js';
import { evaluate } from '../helpers.js';

const image = hostArray([[1, 2, 3], [4, 5, 6], [7, 8, 9]].flat(), { shape: [1, 1, 3, 3] }); // prettier-ignore
/** One channel to two: the sum of a 3×3 window, and the pixel above it; with biases 0 and 100. */
const params = {
  kernel: hostArray([1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0], { shape: [2, 1, 3, 3] }),
  bias: hostArray([0, 100]),
};

test('sums over the window, with zeros around the image', () => {
  const { y } = evaluate(({ params, image }) => ({ y: conv2d(params, image) }), { params, image });
  expect(y.shape).toEqual([1, 2, 3, 3]);
  expect([...y.data]).toEqual([
    12, 21, 16, 27, 45, 33, 24, 39, 28, 100, 100, 100, 101, 102, 103, 104, 105, 106,
  ]);
});

test('takes steps and a padding of its own', () => {
  const { y } = evaluate(
    ({ params, image }) => ({ y: conv2d(params, image, { stride: 2, padding: [0, 1] }) }),
    { params, image },
  );
  expect(y.shape).toEqual([1, 2, 1, 1]);
  expect([...y.data]).toEqual([45, 102]);
});

test('an even window needs padding', () => {
  const even = initialParameters(conv2dParameters(1, 1, 2, 'pytorch'), RandomKey.fromSeed(0));
  const run = (padding?: readonly [number, number]) =>
    evaluate(({ even, image }) => ({ y: conv2d(even, image, padding && { padding }) }), { even, image }).y
      .shape;
  expect(() => run()).toThrow(/A window of 2 needs padding/);
  expect(run([0, 1])).toEqual([1, 1, 3, 3]);
});

test.each([
  ['pytorch', 'pytorch', 1 / Math.sqrt(8 * 9), 1 / Math.sqrt(8 * 9)],
  ['xavier', { kind: 'xavier', gain: 0.5 }, 0.5 * Math.sqrt(6 / ((8 + 16) * 9)), 0],
] as const)('starts within its limit: %s', (_, initialisation, kernel, bias) => {
  const params = initialParameters(conv2dParameters(8, 16, 3, initialisation), RandomKey.fromSeed(1));
  expect(treeLeaves<HostArray>(params).map(({ shape }) => shape)).toEqual([[16], [16, 8, 3, 3]]);
  const largest = (array: HostArray) => Math.max(...Array.from(array.data, Math.abs));
  expect(largest(params.kernel)).toBeLessThanOrEqual(kernel);
  expect(largest(params.kernel)).toBeGreaterThan(0.98 * kernel);
  expect(largest(params.bias)).toBeLessThanOrEqual(bias);
});
