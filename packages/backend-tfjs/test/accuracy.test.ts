/**
 * What every device here does better than the conformance kit asks: roundings of functions, far from 0 as well; sums of
 * many numbers of one sign; and the signs of zeros.
 */
import * as mf from '@meanflow/core';
import { bools, floats, normal, onEveryDevice, type Accuracy } from './support.js';

onEveryDevice(({ check }) => {
  const NUMBERS = [0, -0, 1, -1, 0.5, -0.5, 2, -2.5, 3.7, -3.7, 17, -17, 80, -80, 1e-30];
  const FUNCTIONS: [keyof typeof mf & string, Accuracy][] = [
    ['sqrt', 'arithmetic'],
    ['rsqrt', 'function'],
    ['exp', 'function'],
    ['log', 'function'],
    ['sin', 'function'],
    ['cos', 'function'],
    ['tanh', 'function'],
    ['sigmoid', 'function'],
    ['erf', 'function'],
  ];

  test.each(FUNCTIONS)('%s', async (name, accuracy) => {
    const f = mf[name] as (x: mf.Tensor) => mf.Tensor;
    await check(f, [floats(NUMBERS)], accuracy);
    await check(f, [normal([3, 5, 7])], accuracy);
  });

  test('pow', async () => {
    const [bases, exponents] = [[0.5, 1, 2, 9], [0, 1, 2, -1, 0.5, 3.3, -2.5]]; // prettier-ignore
    const left = floats(bases.flatMap((base) => exponents.map(() => base)));
    const right = floats(bases.flatMap(() => exponents));
    await check((x, y) => mf.pow(x, y), [left, right], 'function');
  });

  test('quotients', async () => {
    await check((x, y) => mf.div(x, y), [normal([40, 1]), normal([50], 'y')], 'arithmetic');
  });

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
