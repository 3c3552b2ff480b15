import * as mf from '@meanflow/core';
import { bools, floats, ints, normal, onEveryDevice, type Accuracy } from './support.js';

onEveryDevice(({ check }) => {
  const SPECIAL = [0, -0, 1, -1, 0.5, -0.5, 2, -2.5, 3.7, -3.7, 17, -17, 80, -80, 1e-30, 1e30, -1e30, Infinity, -Infinity, NaN]; // prettier-ignore
  const INTEGERS = [0, 1, -1, 7, -7, 2, -2, 100000, 2147483647, -2147483648];

  describe('one float operand', () => {
    const functions: [keyof typeof mf & string, Accuracy][] = [
      ['neg', 'exact'],
      ['abs', 'exact'],
      ['sign', 'exact'],
      ['floor', 'exact'],
      ['sqrt', 'arithmetic'],
      ['rsqrt', 'function'],
      ['exp', 'function'],
      ['log', 'function'],
      ['sin', 'function'],
      ['cos', 'function'],
      ['tanh', 'function'],
      ['sigmoid', 'function'],
      ['erf', 'function'],
      ['isFinite', 'exact'],
    ];
    test.each(functions)('%s', async (name, accuracy) => {
      const f = mf[name] as (x: mf.Tensor) => mf.Tensor;
      // The float32 argument reduction of sines ends before 1e30.
      const values =
        name === 'sin' || name === 'cos' ? SPECIAL.filter((x) => !(Math.abs(x) === 1e30)) : SPECIAL;
      await check(f, [floats(values)], accuracy);
      await check(f, [normal([3, 5, 7])], accuracy);
      await check(f, [floats([0.3], [])], accuracy);
      await check(f, [floats([], [0, 3])], accuracy);
    });
  });

  /** Every pair of two lists. */
  const pairs = <T>(a: readonly T[], b: readonly T[]) => ({
    left: a.flatMap((x) => b.map(() => x)),
    right: a.flatMap(() => [...b]),
  });

  describe('two operands', () => {
    const FLOATS: [keyof typeof mf & string, Accuracy][] = [
      ['add', 'arithmetic'],
      ['sub', 'arithmetic'],
      ['mul', 'arithmetic'],
      ['div', 'arithmetic'],
      ['maximum', 'exact'],
      ['minimum', 'exact'],
      ['equal', 'exact'],
      ['less', 'exact'],
      ['lessEqual', 'exact'],
    ];
    type Binary = (x: mf.Tensor, y: mf.Tensor) => mf.Tensor;

    test.each(FLOATS)('%s of floats', async (name, accuracy) => {
      const f = mf[name] as Binary;
      const { left, right } = pairs(SPECIAL, SPECIAL);
      await check(f, [floats(left), floats(right)], accuracy, 1e30);
      await check(f, [normal([3, 1, 5]), normal([4, 1], 'y')], accuracy);
      await check(f, [normal([]), normal([2, 3], 'y')], accuracy);
      await check(f, [normal([2, 0]), normal([1, 1], 'y')], accuracy);
    });

    test.each(FLOATS.map(([name]) => name))('%s of integers wraps and truncates', async (name) => {
      const f = mf[name] as Binary;
      const { left, right } = pairs(INTEGERS, INTEGERS);
      await check(f, [ints(left), ints(right)], 'exact');
      await check(f, [ints([1, 2, 3], [3, 1]), ints([4, 5])], 'exact');
    });

    test('div of integers by constants', async () => {
      for (const divisor of [3, -3, 1, -1, 0]) {
        await check((x) => x.div(divisor), [ints(INTEGERS)], 'exact');
      }
    });

    test.each(['neg', 'abs', 'sign'] as const)('%s of integers', async (name) => {
      await check((x) => mf[name](x), [ints(INTEGERS)], 'exact');
    });

    test.each(['logicalAnd', 'logicalOr', 'equal'] as const)('%s of bools', async (name) => {
      await check((x, y) => mf[name](x, y), [bools([0, 0, 1, 1]), bools([0, 1, 0, 1])], 'exact');
      await check((x, y) => mf[name](x, y), [bools([0, 1], [2, 1]), bools([1, 0, 1])], 'exact');
    });

    test('not', async () => {
      await check((x) => mf.logicalNot(x), [bools([0, 1, 1], [3, 1])], 'exact');
    });

    test('pow', async () => {
      const bases = [0, 0.5, 1, 2, 9, Infinity, NaN];
      const { left, right } = pairs(bases, [0, 1, 2, -1, 0.5, 3.3, -2.5]);
      await check((x, y) => mf.pow(x, y), [floats(left), floats(right)], 'function');
      await check((x) => mf.pow(x, 3), [floats([-2, -1, 1.5])], 'function');
    });
  });

  describe('select', () => {
    const condition = bools([1, 0, 1, 0], [2, 2]);
    test.each([
      ['floats', floats([1, NaN, -0, Infinity], [2, 2]), floats([NaN, 2], [2])],
      ['integers', ints([1, 2, 3, 4], [2, 2]), ints([5, 6], [2])],
      ['bools', bools([1, 1, 0, 0], [2, 2]), bools([0, 1], [2])],
    ])('between %s, which broadcast', async (_, x, y) => {
      await check((c, a, b) => mf.where(c, a, b), [condition, x, y], 'exact');
    });

    test('by a condition that broadcasts', async () => {
      await check(
        (c, a, b) => mf.where(c, a, b),
        [bools([1, 0], [2, 1]), normal([3]), normal([2, 3], 'y')],
        'exact',
      );
    });
  });

  describe('cast', () => {
    const sources = {
      float32: floats([0, -0, 0.4, -0.6, 1.9, -1.9, 2 ** 24 + 2, 1e-40]),
      int32: ints([0, 1, -1, 5, 2 ** 24 + 1, -(2 ** 31)]),
      bool: bools([0, 1]),
    };
    for (const [from, values] of Object.entries(sources)) {
      test.each(['float32', 'int32', 'bool'] as const)(`${from} to %s`, async (dtype) => {
        await check((x) => mf.cast(x, dtype), [values], 'exact');
      });
    }

    test('NaN and infinities are true', async () => {
      await check((x) => mf.cast(x, 'bool'), [floats([NaN, Infinity, -Infinity])], 'exact');
    });
  });
});
