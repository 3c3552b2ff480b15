/** Values of the elementwise ops: dtypes, ranks, empty shapes, broadcasting, layouts, special numbers, many elements. */
import {
  abs,
  add,
  broadcastTo,
  cast,
  cos,
  div,
  equal,
  erf,
  exp,
  floor,
  isFinite,
  less,
  lessEqual,
  log,
  logicalAnd,
  logicalNot,
  logicalOr,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  reverse,
  rsqrt,
  sigmoid,
  sign,
  sin,
  slice,
  sqrt,
  sub,
  tanh,
  transpose,
  where,
  type DType,
  type HostArray,
  type Shape,
  type Tensor,
} from '@meanflow/core';
import { valueCase } from './build.js';
import type { Feature, GraphCase } from './case.js';
import { bool, bools, EMPTY, f32, floats, i32, ints, RANKS, show } from './inputs.js';

type Unary = (x: Tensor) => Tensor;
type Binary = (x: Tensor, y: Tensor) => Tensor;

interface UnaryRow {
  readonly op: string;
  readonly f: Unary;
  /** The interval from which ordinary operands are drawn. */
  readonly from: readonly [low: number, high: number];
  readonly dtypes?: readonly DType[];
}

const UNARY: readonly UnaryRow[] = [
  { op: 'neg', f: neg, from: [-3, 3], dtypes: ['float32', 'int32'] },
  { op: 'abs', f: abs, from: [-3, 3], dtypes: ['float32', 'int32'] },
  { op: 'sign', f: sign, from: [-3, 3], dtypes: ['float32', 'int32'] },
  { op: 'floor', f: floor, from: [-3, 3] },
  { op: 'exp', f: exp, from: [-10, 10] },
  { op: 'log', f: log, from: [0.01, 20] },
  { op: 'sqrt', f: sqrt, from: [0, 20] },
  { op: 'rsqrt', f: rsqrt, from: [0.01, 20] },
  { op: 'sin', f: sin, from: [-7, 7] },
  { op: 'cos', f: cos, from: [-7, 7] },
  { op: 'tanh', f: tanh, from: [-5, 5] },
  { op: 'sigmoid', f: sigmoid, from: [-12, 12] },
  { op: 'erf', f: erf, from: [-4, 4] },
  { op: 'isFinite', f: isFinite, from: [-3, 3] },
  { op: 'not', f: logicalNot, from: [0, 1], dtypes: ['bool'] },
];

interface BinaryRow {
  readonly op: string;
  readonly f: Binary;
  readonly dtypes: readonly DType[];
  /** Interval of the first operand, and of the second where it differs. */
  readonly from?: readonly [low: number, high: number];
  readonly second?: readonly [low: number, high: number];
}

const NUMBERS = ['float32', 'int32'] as const;
const BINARY: readonly BinaryRow[] = [
  { op: 'add', f: add, dtypes: NUMBERS },
  { op: 'sub', f: sub, dtypes: NUMBERS },
  { op: 'mul', f: mul, dtypes: NUMBERS },
  { op: 'div', f: div, dtypes: NUMBERS, second: [1, 5] },
  { op: 'pow', f: pow, dtypes: ['float32'], from: [0.1, 4], second: [-3, 3] },
  { op: 'maximum', f: maximum, dtypes: NUMBERS },
  { op: 'minimum', f: minimum, dtypes: NUMBERS },
  { op: 'equal', f: equal, dtypes: ['float32', 'int32', 'bool'] },
  { op: 'less', f: less, dtypes: NUMBERS },
  { op: 'lessEqual', f: lessEqual, dtypes: NUMBERS },
  { op: 'and', f: logicalAnd, dtypes: ['bool'] },
  { op: 'or', f: logicalOr, dtypes: ['bool'] },
];

/** Pairs of shapes that broadcast against one another. */
const BROADCASTS: readonly (readonly [Shape, Shape])[] = [
  [[3, 4], []],
  [[], [3, 4]],
  [[3, 4], [4]],
  [[3, 1], [4]],
  [
    [2, 3, 4],
    [3, 1],
  ],
  [
    [2, 1, 4],
    [1, 3, 1],
  ],
  [
    [2, 2, 1, 3, 1],
    [2, 1, 2],
  ],
];
const EMPTY_BROADCASTS: readonly (readonly [Shape, Shape])[] = [
  [[0], [1]],
  [[2, 0], []],
  [
    [1, 3],
    [0, 1],
  ],
];

/** Operands of a dtype: floats of the interval, integers as far as they reach, coins. */
function draw(dtype: DType, shape: Shape, [low, high]: readonly [number, number], stream: string): HostArray {
  if (dtype === 'bool') return bools(shape, stream);
  if (dtype === 'int32') return ints(shape, low > 0 ? Math.ceil(low) : -9, 10, stream);
  return floats(shape, low, high, stream);
}

const dtypeFeatures = (dtype: DType): Feature[] => (dtype === 'float32' ? [] : [dtype]);
const shapeFeatures = (shape: Shape): Feature[] => [
  ...(shape.length === 5 ? (['rank-5'] as const) : []),
  ...(shape.includes(0) ? (['zero-size'] as const) : []),
];

/** How operands come to lie in memory as something other than a dense row-major array. Each keeps `[3, 4]`. */
const LAYOUTS: Readonly<Record<string, { readonly shape: Shape; readonly f: Unary }>> = {
  transposed: { shape: [4, 3], f: (x) => transpose(x) },
  sliced: { shape: [5, 9], f: (x) => slice(x, [1, 1], [4, 9], [1, 2]) },
  reversed: { shape: [3, 4], f: (x) => reverse(x, [-1]) },
  repeated: { shape: [1, 4], f: (x) => broadcastTo(x, [3, 4]) },
};

function unaryCases({ op, f, from, dtypes = ['float32'] }: UnaryRow): GraphCase[] {
  const [dtype] = dtypes;
  return [
    ...dtypes.flatMap((type) =>
      [...RANKS, ...EMPTY].map((shape) =>
        valueCase(op, `${type} ${show(shape)}`, f, () => [draw(type, shape, from, op)], {
          features: [...dtypeFeatures(type), ...shapeFeatures(shape)],
        }),
      ),
    ),
    ...Object.entries(LAYOUTS).map(([name, { shape, f: layout }]) =>
      valueCase(
        op,
        `of ${name}`,
        (x) => f(layout(x)),
        () => [draw(dtype, shape, from, op)],
        {
          features: ['layout', ...dtypeFeatures(dtype)],
        },
      ),
    ),
    valueCase(op, `${2 ** 15} elements`, f, () => [draw(dtype, [2 ** 15], from, op)], {
      features: ['large', ...dtypeFeatures(dtype)],
    }),
  ];
}

function binaryCases({ op, f, dtypes, from = [-3, 3], second = from }: BinaryRow): GraphCase[] {
  const pair = (dtype: DType, a: Shape, b: Shape) => () => [
    draw(dtype, a, from, `${op} a`),
    draw(dtype, b, second, `${op} b`),
  ];
  const of = (dtype: DType, variant: string, a: Shape, b: Shape, features: readonly Feature[] = []) =>
    valueCase(op, `${dtype} ${variant}`, f, pair(dtype, a, b), {
      features: [...dtypeFeatures(dtype), ...shapeFeatures(a), ...features],
    });
  const [dtype] = dtypes;
  const layouts = Object.entries(LAYOUTS);
  return [
    ...dtypes.flatMap((type) => [
      ...[...RANKS, ...EMPTY].map((shape) => of(type, show(shape), shape, shape)),
      ...[...BROADCASTS, ...EMPTY_BROADCASTS].map(([a, b]) =>
        of(type, `${show(a)} with ${show(b)}`, a, b, [
          'broadcasting',
          ...shapeFeatures(b).filter((feature) => !shapeFeatures(a).includes(feature)),
        ]),
      ),
    ]),
    ...layouts.map(([name, { shape, f: first }], i) => {
      const [otherName, other] = layouts[(i + 1) % layouts.length];
      return valueCase(
        op,
        `of ${name} and ${otherName}`,
        (x, y) => f(first(x), other.f(y)),
        pair(dtype, shape, other.shape),
        { features: ['layout', ...dtypeFeatures(dtype)] },
      );
    }),
    valueCase(op, 'of one operand twice', (x) => f(x, x), () => [
      draw(dtype, [3, 4], second, op),
    ], { features: dtypeFeatures(dtype) }), // prettier-ignore
    of(dtype, `${2 ** 15} elements`, [2 ** 15], [2 ** 15], ['large']),
  ];
}

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
      ...binary
        // Languages differ on powers of special numbers, such as 1 to the NaN; what is common to them is below.
        .filter(({ op }) => op !== 'pow')
        .map(({ op, f }) =>
          valueCase(op, feature, f, () => [f32(first), f32(second)], { features: [feature] }),
        ),
    ];
  });
}

function allPairs(values: readonly number[]): [number[], number[]] {
  const pairs = values.flatMap((a) => values.map((b) => [a, b]));
  return [pairs.map(([a]) => a), pairs.map(([, b]) => b)];
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
    valueCase('pow', 'nan', pow, () => [f32([NaN, 2, NaN]), f32([2, NaN, NaN])], { features: ['nan'] }),
    valueCase('floor', 'whole numbers, halves and large ones', floor, () => [
      f32([-2, -1.5, -0.5, 0, 0.5, 1, 8388609, -8388609, 0.99999994]),
    ]),
    valueCase('erf', 'tails', erf, () => [f32([-9, -6, 6, 9, 1e-6, -1e-6])]),
    valueCase('sigmoid', 'tails', sigmoid, () => [f32([-90, -30, 30, 90, 1e-6])]),
    valueCase('tanh', 'tails', tanh, () => [f32([-90, -20, 20, 90, 1e-6])]),
    valueCase('log', 'near 1', log, () => [f32([0.999, 1, 1.001, 1.0000001])]),
  ];
}

function selectCases(): GraphCase[] {
  const operands =
    (dtype: DType, ...shapes: Shape[]) =>
    () => [
      bools(shapes[0], 'condition'),
      draw(dtype, shapes[1], [-3, 3], 'then'),
      draw(dtype, shapes[2], [-3, 3], 'else'),
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
    ...mixed.map((shapes) =>
      valueCase('select', shapes.map(show).join(' '), where, operands('float32', ...shapes), {
        features: ['broadcasting'],
      }),
    ),
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
    valueCase('cast', 'NaN and infinities are true', (x) => cast(x, 'bool'), () => [
      f32([NaN, Infinity, -Infinity, 0, -0]),
    ], { features: ['nan', 'infinity', 'bool'] }), // prettier-ignore
  ];
}

/** All of them. */
export function elementwiseCases(): GraphCase[] {
  return [
    ...UNARY.flatMap(unaryCases),
    ...BINARY.flatMap(binaryCases),
    ...specialCases(),
    ...particularCases(),
    ...selectCases(),
    ...castCases(),
  ];
}
