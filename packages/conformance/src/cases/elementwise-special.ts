/** Values of the elementwise ops at special numbers and at their edges, of `select`, and of conversions. */
import {
  add,
  cast,
  div,
  equal,
  exp,
  floor,
  less,
  log,
  mul,
  pow,
  sub,
  transpose,
  where,
  type DType,
  type HostArray,
  type Shape,
} from '@meanflow/core';
import { valueCase } from './build.js';
import type { GraphCase } from './case.js';
import { UNARY, BINARY, draw, dtypeFeatures, shapeFeatures } from './elementwise-tables.js';
import { bool, bools, EMPTY, f32, floats, i32, RANKS, show } from './inputs.js';

const SPECIAL: Readonly<Record<'nan' | 'infinity' | 'denormal' | 'signed-zero', readonly number[]>> = {
  nan: [NaN, 1, NaN],
  infinity: [Infinity, -Infinity, 1],
  denormal: [1e-40, -1e-40, 2 ** -149, 2 ** -126, -(2 ** -127)],
  'signed-zero': [0, -0, 1],
};

/** float32 ops at numbers that are special. */
function specialCases(): GraphCase[] {
  const unary = UNARY.filter(({ dtypes = ['float32'] }) => dtypes.includes('float32'));
  const binary = BINARY.filter(({ dtypes }) => dtypes.includes('float32'));
  return (Object.keys(SPECIAL) as (keyof typeof SPECIAL)[]).flatMap((feature) => {
    const values = SPECIAL[feature];
    const [first, second] = allPairs([...values, feature === 'denormal' ? 3 : 2]);
    return [
      ...unary.map(({ op, f }) => valueCase(op, feature, f, () => [f32(values)], { features: [feature] })),
      ...binary.map(({ op, f }) =>
        valueCase(op, feature, f, () => [f32(first), f32(second)], { features: [feature] }),
      ),
    ];
  });
}

function allPairs(values: readonly number[]): [number[], number[]] {
  const pairs = values.flatMap((a) => values.map((b) => [a, b] as const));
  return [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
}

/** Small and large, whole and not, with zero, infinities and NaN among them. */
const MAGNITUDES = [0, 1, -1, 0.5, -0.5, 2, -2.5, 3.7, -3.7, 17, -17, 80, -80, 1e-30, 1e30, -1e30, Infinity, -Infinity, NaN]; // prettier-ignore
/** In which float32 would round, negation or division overflow, and divisors that processors stop at. */
const INTEGERS = [0, 1, -1, 2, -2, 7, -7, 100_000, 2 ** 24 + 1, 2 ** 31 - 1, -(2 ** 31)];

/** Ops at numbers of every magnitude, one among others, each with each. */
function magnitudeCases(): GraphCase[] {
  const features = ['nan', 'infinity'] as const;
  const isOf = (dtype: DType, dtypes: readonly DType[] = ['float32']) => dtypes.includes(dtype);
  const integerPairs = () => allPairs(INTEGERS).map((values) => i32(values));
  return [
    ...UNARY.filter(({ dtypes }) => isOf('float32', dtypes)).map(({ op, f }) =>
      valueCase(op, 'every magnitude', f, () => [f32(MAGNITUDES)], { features }),
    ),
    ...UNARY.filter(({ dtypes }) => isOf('int32', dtypes)).map(({ op, f }) =>
      valueCase(op, 'int32 of every magnitude', f, () => [i32(INTEGERS)], { features: ['int32', 'overflow'] }),
    ),
    ...BINARY.filter(({ dtypes }) => isOf('float32', dtypes)).map(({ op, f }) =>
      valueCase(op, 'every magnitude', f, () => allPairs(MAGNITUDES).map((values) => f32(values)), { features }),
    ),
    ...BINARY.filter(({ dtypes }) => isOf('int32', dtypes)).map(({ op, f }) =>
      valueCase(op, 'int32 of every magnitude', f, integerPairs, { features: ['int32', 'overflow'] }),
    ),
    ...[3, -3, 1, -1, 0].map((divisor) =>
      valueCase('div', `int32 by ${divisor}, a constant`, (x) => div(x, divisor), () => [i32(INTEGERS)], {
        features: ['int32', 'overflow'],
      }),
    ),
  ]; // prettier-ignore
}

/** Cases that belong to one op. */
function particularCases(): GraphCase[] {
  const big = [2 ** 31 - 1, -(2 ** 31), 2 ** 30, 123_456_789, -987_654_321, 65_537];
  const overflow = { features: ['int32', 'overflow'] } as const;
  const wide = () => [i32(allPairs(big)[0]), i32(allPairs(big)[1])];
  return [
    valueCase('add', 'int32 wraps around', add, wide, overflow),
    valueCase('sub', 'int32 wraps around', sub, wide, overflow),
    valueCase('mul', 'int32 wraps around', mul, wide, overflow),
    valueCase('less', 'int32 beyond 2^24', less, () => [i32([2 ** 24, 2 ** 24 + 1]), i32([2 ** 24 + 1, 2 ** 24])], {
      features: ['int32'],
    }), // prettier-ignore
    valueCase('equal', 'int32 beyond 2^24', equal, () => [i32([2 ** 24 + 1, 7]), i32([2 ** 24, 7])], {
      features: ['int32'],
    }),
    valueCase('div', 'int32 truncates toward zero', div, () => [i32([7, -7, 7, -7, 1, 0]), i32([2, 2, -2, -2, 3, 5])], {
      features: ['int32'],
    }), // prettier-ignore
    valueCase('add', 'beside an input that nothing reads', (x, y, _unread) => add(x, y), () => [
      f32([1, 2]),
      f32([3, 4]),
      i32([5, 6, 7]),
    ]), // prettier-ignore
    valueCase('add', 'float32 overflows to infinity', add, () => [f32([3e38, -3e38]), f32([3e38, -3e38])], {
      features: ['infinity'],
    }),
    valueCase('exp', 'overflows and underflows', exp, () => [f32([89, 200, -120, 88, -80])], {
      features: ['infinity'],
    }),
    valueCase('pow', 'whole exponents of negative numbers', pow, () => [
      f32([-2, -2, -2, -1.5, 0, 0, 3]),
      f32([3, 2, -1, 4, 0, 2, 0]),
    ]),
    valueCase('pow', 'bases of every kind', pow, () => {
      const bases = [0, -0, 0.5, 1, 2, 9, Infinity];
      const exponents = [0, 1, 2, -1, 0.5, 3.3, -2.5];
      return [
        f32(bases.flatMap((base) => exponents.map(() => base))),
        f32(bases.flatMap(() => exponents)),
      ];
    }, { features: ['infinity'] }), // prettier-ignore
    valueCase('floor', 'whole numbers, halves and large ones', floor, () => [
      f32([-2, -1.5, -0.5, 0, 0.5, 1, 8388609, -8388609, 0.99999994]),
    ]),
    valueCase('log', 'near 1', log, () => [f32([0.999, 1, 1.001, 1.0000001])]),
  ];
}

function selectCases(): GraphCase[] {
  const operands =
    (dtype: DType, ...shapes: Shape[]) =>
    () => [
      bools(shapes[0]!, 'condition'),
      draw(dtype, shapes[1]!, [-3, 3], 'then'),
      draw(dtype, shapes[2]!, [-3, 3], 'else'),
    ];
  const same = (['float32', 'int32', 'bool'] as const).flatMap((dtype) =>
    [...RANKS, ...EMPTY].map((shape) =>
      valueCase('select', `${dtype} ${show(shape)}`, where, operands(dtype, shape, shape, shape), {
        features: [...dtypeFeatures(dtype), ...shapeFeatures(shape)],
      }),
    ),
  );
  const mixed: Shape[][] = [
    [[3, 1], [3, 4], [4]],
    [[], [2, 3], [3]],
    [[2, 3], [], []],
    [[4], [2, 3, 1], [1, 3, 4]],
  ]; // prettier-ignore
  return [
    ...same,
    ...mixed.flatMap((shapes) =>
      (['float32', 'int32', 'bool'] as const).map((dtype) =>
        valueCase('select', `${dtype} ${shapes.map(show).join(' ')}`, where, operands(dtype, ...shapes), {
          features: ['broadcasting', ...dtypeFeatures(dtype)],
        }),
      ),
    ),
    valueCase('select', 'int32 beyond 2^24', where, () => [
      bool([1, 0, 1]),
      i32([2 ** 24 + 1, 5, 2 ** 31 - 1]),
      i32([7, -(2 ** 24) - 1, 8]),
    ], { features: ['int32'] }), // prettier-ignore
    valueCase('select', 'does not look at the other branch', where, () => [
      bool([1, 0, 1, 0]),
      f32([1, NaN, 2, Infinity]),
      f32([NaN, 3, -Infinity, 4]),
    ], { features: ['nan', 'infinity'] }), // prettier-ignore
    valueCase('select', 'of transposed', (c, x, y) => where(transpose(c), transpose(x), y), () => [
      bools([4, 3]),
      floats([4, 3]),
      floats([3, 4], -2, 2, 'y'),
    ], { features: ['layout'] }), // prettier-ignore
  ];
}

function castCases(): GraphCase[] {
  const dtypes = ['float32', 'int32', 'bool'] as const;
  const values: Readonly<Record<DType, () => HostArray>> = {
    float16: () => f32([0, -0.5, 0.5, 1.7, -1.7, 6e-8, 65504, 1e-3]),
    float32: () => f32([0, -0.5, 0.5, 1.7, -1.7, 2 ** 30, -(2 ** 30), 1e-3]),
    int32: () => i32([0, 1, -1, 7, 2 ** 24 + 1, -(2 ** 24) - 3, 2 ** 31 - 1, -(2 ** 31)]),
    bool: () => bool([0, 1, 1, 0]),
  };
  const pairs = dtypes.flatMap((from) => dtypes.filter((to) => to !== from).map((to) => [from, to] as const));
  return [
    ...pairs.flatMap(([from, to]) => [
      valueCase(
        'cast',
        `${from} to ${to}`,
        (x) => cast(x, to),
        () => [values[from]()],
        {
          features: [...dtypeFeatures(from), ...dtypeFeatures(to)],
        },
      ),
      ...[...RANKS, ...EMPTY].map(
        (shape) =>
        valueCase('cast', `${from} to ${to} ${show(shape)}`, (x) => cast(x, to), () => [
          draw(from, shape, [-3, 3], 'cast'),
        ], { features: [...dtypeFeatures(from), ...dtypeFeatures(to), ...shapeFeatures(shape)] }), // prettier-ignore
      ),
    ]),
    ...(['int32', 'bool'] as const).map((to) =>
      valueCase(
        'cast',
        `denormal to ${to}`,
        (x) => cast(x, to),
        () => [f32([1e-40, -1e-40, 2 ** -126])],
        {
          features: ['denormal', to],
        },
      ),
    ),
    valueCase('cast', 'beyond int32', (x) => cast(x, 'int32'), () => [
      f32([NaN, Infinity, -Infinity, 3e9, -3e9, 1e10, -1e30, 2 ** 31, -(2 ** 31), 2 ** 31 - 128, -(2 ** 31) - 256]),
    ], { features: ['nan', 'infinity', 'int32', 'overflow'] }), // prettier-ignore
    valueCase('cast', 'NaN and infinities are true', (x) => cast(x, 'bool'), () => [
      f32([NaN, Infinity, -Infinity, 0, -0]),
    ], { features: ['nan', 'infinity', 'bool'] }), // prettier-ignore
  ];
}

/** All of them. */
export function elementwiseSpecialCases(): GraphCase[] {
  return [...specialCases(), ...magnitudeCases(), ...particularCases(), ...selectCases(), ...castCases()];
}
