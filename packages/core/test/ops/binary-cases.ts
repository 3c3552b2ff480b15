/** Cases of the elementwise primitives of several operands: broadcasting, special values, integers. */
import {
  add,
  clip,
  constant,
  div,
  equal,
  less,
  lessEqual,
  logicalAnd,
  logicalOr,
  maximum,
  minimum,
  mul,
  pow,
  sub,
  where,
  type HostArray,
} from '../../src/index.js';
import { bools, floats, ints, positiveWave, wave, type TensorFunction } from '../support/numeric.js';
import { NAN, SPECIAL, T, U, type OpCase } from './case.js';

/** Operand shapes that broadcast, and the result's. */
const BROADCASTS: readonly (readonly [number[], number[], number[]])[] = [
  [[], [], []],
  [[], [3], [3]],
  [[2, 3], [], [2, 3]],
  [
    [2, 3],
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3], [2, 3]],
  [
    [2, 1],
    [1, 3],
    [2, 3],
  ],
  [
    [3, 1, 2],
    [2, 1],
    [3, 2, 2],
  ],
  [[1], [1, 1, 1], [1, 1, 1]],
  [
    [2, 1, 2, 1],
    [3, 1, 2],
    [2, 3, 2, 2],
  ],
  [
    [2, 1, 1, 1, 2],
    [2, 1],
    [2, 1, 1, 2, 2],
  ],
  [[0], [1], [0]],
  [
    [2, 0],
    [2, 1],
    [2, 0],
  ],
];

/** NumPy's rule by its definition: the operand's index is the result's, modulo its own size, aligned at the end. */
function broadcastReference(
  a: HostArray,
  b: HostArray,
  shape: readonly number[],
  f: (a: number, b: number) => number,
): number[] {
  const size = shape.reduce((x, y) => x * y, 1);
  const at = (operand: HostArray, flat: number) => {
    let [rest, index, stride] = [flat, 0, 1];
    for (let back = 1; back <= shape.length; back++) {
      const length = shape[shape.length - back];
      const own = operand.shape[operand.shape.length - back] ?? 1;
      index += ((rest % length) % own) * stride;
      stride *= own;
      rest = Math.floor(rest / length);
    }
    return operand.data[index];
  };
  return Array.from({ length: size }, (_, i) => f(at(a, i), at(b, i)));
}

function binary(
  f: TensorFunction,
  reference: (a: number, b: number) => number,
  { order, operand = wave }: { order?: 1 | 2; operand?: typeof wave } = {},
): OpCase[] {
  const pairs = SPECIAL.flatMap((a) => SPECIAL.map((b) => [a, b] as const));
  return [
    ...BROADCASTS.map(([left, right, shape]) => {
      const [a, b] = [operand(left, 0.4), operand(right, 2.1)];
      const expected = broadcastReference(a, b, shape, reference);
      return { name: `[${left}] with [${right}]`, f, inputs: [a, b], shape, expected, order };
    }),
    {
      name: 'special values',
      f,
      inputs: [floats(pairs.map(([a]) => a)), floats(pairs.map(([, b]) => b))],
      expected: pairs.map(([a, b]) => reference(a, b)),
    },
  ];
}

const INT_PAIRS = [
  [7, 2], [-7, 2], [7, -2], [2147483647, 1], [-2147483648, -1], [-2147483648, 1], [65536, 65536], [123456789, 987654321], [0, 5],
] as const; // prettier-ignore

/** int32 wraps around; the expectation comes from 64-bit integers. */
function intCase(f: TensorFunction, reference: (a: bigint, b: bigint) => bigint): OpCase {
  return {
    name: 'int32, wrapping around',
    f,
    inputs: [ints(INT_PAIRS.map(([a]) => a)), ints(INT_PAIRS.map(([, b]) => b))],
    expected: INT_PAIRS.map(([a, b]) => Number(BigInt.asIntN(32, reference(BigInt(a), BigInt(b))))),
  };
}

/** JavaScript's `**` departs from IEEE 754 where the base is ±1. */
const ieeePower = (a: number, b: number): number =>
  a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b;

export const binaryCases = {
  add: [...binary(add, (a, b) => a + b, { order: 2 }), intCase(add, (a, b) => a + b)],
  sub: [...binary(sub, (a, b) => a - b, { order: 2 }), intCase(sub, (a, b) => a - b)],
  mul: [
    ...binary(mul, (a, b) => a * b, { order: 2 }),
    intCase(mul, (a, b) => a * b),
    { name: 'a square', f: (x) => mul(x, x), inputs: [wave([2, 3])], order: 2 },
  ],
  div: [...binary(div, (a, b) => a / b, { order: 2, operand: positiveWave }), intCase(div, (a, b) => a / b)],
  pow: [
    ...binary(pow, ieeePower, { order: 2, operand: positiveWave }),
    ...[3, 2, 1, 0, 0.5, -0.5, -1, -2, 2.5].map((p): OpCase => {
      const x = positiveWave([2, 3]);
      return {
        name: `to the ${p}`,
        f: (t) => pow(t, p),
        inputs: [x],
        expected: Array.from(x.data, (v) => v ** p),
        order: 2,
      };
    }),
    {
      name: 'negative bases, whole exponent',
      f: (x) => pow(x, 3),
      inputs: [floats([-2, -0.5, 1.5])],
      expected: [-8, -0.125, 3.375],
      order: 2,
    },
    { name: 'base 0', f: (x) => pow(x, 3), inputs: [floats([0, 0])], expected: [0, 0], order: 1 },
    {
      name: 'base ±1',
      f: pow,
      inputs: [floats([1, 1, 1, -1, -1]), floats([NaN, Infinity, -Infinity, Infinity, NaN])],
      expected: [1, 1, 1, 1, NaN],
    },
    {
      name: 'exponent 0 at base 0',
      f: (x) => pow(x, constant(0)),
      inputs: [floats([0, 2])],
      expected: [1, 1],
      order: 1,
    },
  ],
  maximum: [
    ...binary(maximum, (a, b) => (Number.isNaN(a + b) && (a !== a || b !== b) ? NAN : a > b ? a : b), {
      order: 2,
    }),
    { name: 'int32', f: maximum, inputs: [ints([1, -5]), ints([0, 2])], expected: [1, 2] },
    {
      name: 'clip inside',
      f: (x) => clip(x, -2, 2),
      inputs: [wave([4])],
      expected: [...wave([4]).data],
      order: 2,
    },
  ],
  minimum: [
    ...binary(minimum, (a, b) => (a !== a || b !== b ? NAN : a < b ? a : b), { order: 2 }),
    { name: 'int32', f: minimum, inputs: [ints([1, -5]), ints([0, 2])], expected: [0, -5] },
  ],
  equal: [
    ...binary(equal, (a, b) => Number(a === b)),
    { name: 'bool', f: equal, inputs: [bools(T), bools(U)], expected: [1, 0, 0, 1] },
  ],
  less: [
    ...binary(less, (a, b) => Number(a < b)),
    { name: 'int32', f: less, inputs: [ints([1, 2, 3]), ints([2, 2, 2])], expected: [1, 0, 0] },
  ],
  lessEqual: [
    ...binary(lessEqual, (a, b) => Number(a <= b)),
    { name: 'int32', f: lessEqual, inputs: [ints([1, 2, 3]), ints([2, 2, 2])], expected: [1, 1, 0] },
  ],
  and: [
    {
      name: 'truth table',
      f: (a, b) => logicalAnd(a, b),
      inputs: [bools(T), bools(U)],
      expected: [1, 0, 0, 0],
    },
  ],
  or: [
    {
      name: 'truth table',
      f: (a, b) => logicalOr(a, b),
      inputs: [bools(T), bools(U)],
      expected: [1, 1, 1, 0],
    },
  ],
  select: [
    {
      name: 'same shapes',
      f: where,
      inputs: [bools(T), floats([1, 2, 3, 4]), floats([5, 6, 7, 8])],
      expected: [1, 6, 3, 8],
      order: 2,
    },
    {
      name: 'everything broadcast',
      f: where,
      inputs: [bools([1, 0], [2, 1]), floats([1, 2, 3]), floats([9], [1, 1, 1])],
      shape: [1, 2, 3],
      expected: [1, 2, 3, 9, 9, 9],
      order: 2,
    },
    {
      name: 'what is not chosen may be NaN',
      f: (c, a) => where(c, a, NAN),
      inputs: [bools([1, 1]), floats([1, 2])],
      expected: [1, 2],
      order: 2,
    },
    { name: 'int32', f: where, inputs: [bools([1, 0]), ints([1, 2]), ints([3, 4])], expected: [1, 4] },
    {
      name: 'nothing',
      f: where,
      inputs: [bools([], [0]), floats([], [0]), floats([1], [1])],
      shape: [0],
      expected: [],
      order: 2,
    },
  ],
} as const satisfies Record<string, readonly OpCase[]>;
