/**
 * What every device here does better than the conformance kit asks: roundings of functions, far from 0 as well; sums of
 * many numbers of one sign; and the signs of zeros.
 */
import * as mf from '@meanflow/core';
import { accuracyTests } from '@meanflow/conformance/testing';
import { bools, floats, onEveryDevice } from './support.js';

onEveryDevice(({ backend, check }) => {
  accuracyTests({ test, backend });

  test.each([
    [[1 << 18], 0],
    [[20, 10000], 1],
    [[9000, 300], 0],
    [[1000, 20], 0],
  ])('a sum of many numbers of one sign: %j, axis %d', async (shape, axis) => {
    const x = mf.RandomKey.fromSeed(3).uniform(shape);
    await check((t) => mf.sum(t, axis), [x], 'sum');
  });

  test('the signs of zeros', async () => {
    const zeros = floats([0, -0, 0, -0]);
    for (const f of [mf.neg, mf.abs, mf.sign, mf.floor]) await check(f, [zeros], 'exact');
    const others = floats([0, 0, -0, -0]);
    for (const f of [mf.maximum, mf.minimum]) await check(f, [zeros, others], 'exact');
    await check((c, x, y) => mf.where(c, x, y), [bools([1, 0, 1, 0]), zeros, others], 'exact');
  });
});
