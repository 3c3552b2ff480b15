import * as mf from '@meanflow/core';
import { floats, ints, normal, onEveryDevice } from './support.js';

onEveryDevice(({ check }) => {
  const SHAPES: [mf.Shape, number[]][] = [
    [[7], [0]],
    [[3, 5], [0]],
    [[3, 5], [1]],
    [
      [3, 5],
      [0, 1],
    ],
    [[2, 3, 4], [1]],
    [
      [2, 3, 4],
      [0, 2],
    ],
    [
      [2, 3, 4, 5],
      [1, 2],
    ],
    [[2, 1, 4], [1]],
    [[0, 3], [0]],
    [[0, 3], [1]],
    [[3, 0], [1]],
    [
      [3, 0, 2],
      [0, 1],
    ],
  ];

  describe.each(SHAPES)('shape %j, axes %j', (shape, axes) => {
    const integers = ints(
      Array.from(normal(shape).data, (x) => Math.trunc(x * 10)),
      shape,
    );

    test('sum', async () => {
      await check((x) => mf.sum(x, axes), [normal(shape)], 'sum', 10);
      await check((x) => mf.sum(x, axes), [integers], 'exact');
    });

    test('max', async () => {
      await check((x) => mf.max(x, axes), [normal(shape)], 'exact');
      await check((x) => mf.max(x, axes), [integers], 'exact');
    });

    test('mean and min, with kept axes', async () => {
      await check((x) => mf.min(x, axes, { keepDims: true }), [normal(shape)], 'exact');
      await check((x) => mf.mean(x, axes, { keepDims: true }), [normal(shape)], 'sum');
    });
  });

  test('a scalar is its own sum and maximum', async () => {
    await check((x) => mf.sum(x), [floats([2.5], [])], 'exact');
    await check((x) => mf.max(x), [floats([2.5], [])], 'exact');
  });

  test('sums of integers wrap', async () => {
    await check((x) => mf.sum(x), [ints([2147483647, 1, 5])], 'exact');
  });

  test('a NaN or an infinity anywhere in the group shows in its sum and maximum', async () => {
    const x = floats(
      [1, NaN, 3, NaN, 1, 2, 1, 2, NaN, -Infinity, 1, Infinity, -Infinity, -Infinity, -Infinity],
      [5, 3],
    );
    await check((t) => mf.max(t, 1), [x], 'exact');
    await check((t) => mf.max(t, 0), [x], 'exact');
    await check((t) => mf.sum(t, 1), [x], 'exact');
  });

  describe('argMax', () => {
    test.each([0, 1, 2])('along axis %d', async (axis) => {
      await check((x) => mf.argMax(x, axis), [normal([3, 4, 5])], 'exact');
    });

    test('takes the first of equals, and integers', async () => {
      await check((x) => mf.argMax(x, 1), [floats([1, 3, 3, 2, 2, 2], [2, 3])], 'exact');
      await check((x) => mf.argMax(x), [ints([4, 9, 9])], 'exact');
      await check((x) => mf.argMax(x, 0), [normal([3, 0])], 'exact');
    });
  });

  test.each([
    [[1 << 18], 0],
    [[20, 10000], 1],
    [[9000, 300], 0],
    [[1000, 20], 0],
  ])('a sum of many numbers of one sign is accurate: %j, axis %d', async (shape, axis) => {
    const x = mf.RandomKey.fromSeed(3).uniform(shape);
    await check((t) => mf.sum(t, axis), [x], 'sum');
  });
});
