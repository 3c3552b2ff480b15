/** Values of the elementwise ops on ordinary numbers: dtypes, ranks, empty shapes, broadcasting, layouts, many elements. */
import { broadcastTo, reverse, slice, transpose, type DType, type Shape } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { valueCase } from './build.js';
import type { Feature, GraphCase } from './case.js';
import {
  UNARY,
  BINARY,
  draw,
  dtypeFeatures,
  shapeFeatures,
  type Unary,
  type UnaryRow,
  type BinaryRow,
} from './elementwise-tables.js';
import { EMPTY, RANKS, show } from './inputs.js';

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

/** How operands come to lie in memory as something other than a dense row-major array. Each keeps `[3, 4]`. */
const LAYOUTS: Readonly<Record<string, { readonly shape: Shape; readonly f: Unary }>> = {
  transposed: { shape: [4, 3], f: (x) => transpose(x) },
  sliced: { shape: [5, 9], f: (x) => slice(x, [1, 1], [4, 9], [1, 2]) },
  reversed: { shape: [3, 4], f: (x) => reverse(x, [-1]) },
  repeated: { shape: [1, 4], f: (x) => broadcastTo(x, [3, 4]) },
};

function unaryCases({ op, f, from, dtypes = ['float32'] }: UnaryRow): GraphCase[] {
  const [dtype] = leading(dtypes, 1);
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
  const [dtype] = leading(dtypes, 1);
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
      const [otherName, other] = layouts[(i + 1) % layouts.length]!;
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

/** All of them. */
export function elementwiseCases(): GraphCase[] {
  return [...UNARY.flatMap(unaryCases), ...BINARY.flatMap(binaryCases)];
}
