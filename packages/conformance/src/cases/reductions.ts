/** Values of the reductions: every set of axes at every rank, empty shapes, negative axes, layouts, special and many numbers. */
import {
  argMax,
  broadcastTo,
  grad,
  max,
  mean,
  min,
  mul,
  reverse,
  slice,
  sum,
  transpose,
  type HostArray,
  type Shape,
  type Tensor,
} from '@meanflow/core';
import { valueCase } from './build.js';
import type { Feature, GraphCase } from './case.js';
import { f32, floats, i32, ints, show } from './inputs.js';

type Reduce = (x: Tensor, axes?: number | readonly number[]) => Tensor;

/** For each rank: a shape, and the axes to reduce. */
const AXES: readonly (readonly [Shape, readonly (readonly number[])[]])[] = [
  [[5], [[0]]],
  [[3, 4], [[0], [1], [0, 1]]],
  [[2, 3, 4], [[0], [1], [2], [0, 2], [1, 2], [0, 1, 2]]],
  [[2, 1, 3, 2], [[1], [0, 3], [1, 2, 3]]],
  [[2, 2, 1, 3, 2], [[4], [0, 2, 4], [1, 3], [0, 1, 2, 3, 4]]],
]; // prettier-ignore

const EMPTY_AXES: readonly (readonly [Shape, readonly number[]])[] = [
  [[0], [0]],
  [[0, 3], [0]],
  [[0, 3], [1]],
  [
    [2, 0, 3],
    [1, 2],
  ],
];

/** A NaN in every place of a row, alone and beside infinities; infinities of one sign and of both. */
const UNRULY = [1, NaN, 3, NaN, 1, 2, 1, 2, NaN, -Infinity, 1, Infinity, -Infinity, -Infinity, -Infinity];

function sumAndMax(): GraphCase[] {
  const rows: readonly (readonly [string, Reduce, string])[] = [
    ['reduceSum', sum, 'sum'],
    ['reduceMax', max, 'max'],
  ];
  return rows.flatMap(([op, f, name]) => {
    const of = (
      variant: string,
      g: (x: Tensor) => Tensor,
      input: () => HostArray,
      features: readonly Feature[] = [],
    ) => valueCase(op, `${name} ${variant}`, g, () => [input()], { features });
    return [
      ...AXES.flatMap(([shape, sets]) =>
        sets.flatMap((axes) => [
          of(`${show(shape)} over ${show(axes)}`, (x) => f(x, axes), () => floats(shape), [
            ...(shape.length === 5 ? (['rank-5'] as const) : []),
          ]),
          of(`int32 ${show(shape)} over ${show(axes)}`, (x) => f(x, axes), () => ints(shape), ['int32']),
        ]),
      ),
      ...EMPTY_AXES.map(([shape, axes]) =>
        of(`${show(shape)} over ${show(axes)}`, (x) => f(x, axes), () => floats(shape), ['zero-size']),
      ),
      of('over axis -1', (x) => f(x, -1), () => floats([3, 4]), ['negative-axes']),
      of('over axes [-3,-1]', (x) => f(x, [-3, -1]), () => floats([2, 3, 4]), ['negative-axes']),
      of('of transposed', (x) => f(transpose(x), 0), () => floats([3, 4]), ['layout']),
      of('of permuted', (x) => f(transpose(x, [1, 2, 0]), [0, 2]), () => floats([2, 3, 4]), ['layout']),
      of('of sliced', (x) => f(slice(x, [1, 0], [5, 7], [2, 3]), 1), () => floats([6, 8]), ['layout']),
      of('of reversed', (x) => f(reverse(x, [1]), 0), () => floats([3, 4]), ['layout']),
      of('of repeated', (x) => f(broadcastTo(x, [5, 3, 4]), [0, 2]), () => floats([3, 1]), ['layout']),
      of('of a scalar', (x) => f(x), () => f32([2.5], [])),
      of('over no axes', (x) => f(x, []), () => floats([3, 4])),
      of('NaN and infinities in rows', (x) => f(x, 1), () => f32(UNRULY, [5, 3]), ['nan', 'infinity']),
      of('NaN and infinities in columns', (x) => f(x, 0), () => f32(UNRULY, [5, 3]), ['nan', 'infinity']),
      of('NaN', (x) => f(x, 1), () => f32([1, NaN, 2, 3], [2, 2]), ['nan']),
      of('infinities', (x) => f(x, 1), () => f32([Infinity, 1, -Infinity, 1, -Infinity, -Infinity], [3, 2]), ['infinity']),
      of('denormals', (x) => f(x), () => f32([1e-40, 2e-40, -(2 ** -149)]), ['denormal']),
      of('one row of 2^17', (x) => f(x), () => floats([2 ** 17]), ['large']),
      of('512 rows of 300', (x) => f(x, 1), () => floats([512, 300]), ['large']),
      of('512 columns of 300', (x) => f(x, 0), () => floats([300, 512]), ['large']),
      of('all axes of [64,33,17]', (x) => f(x), () => floats([64, 33, 17]), ['large']),
    ]; // prettier-ignore
  });
}

function further(): GraphCase[] {
  const keep = { keepDims: true } as const;
  return [
    valueCase('reduceSum', 'one row of 2^17 positive numbers', (x) => sum(x), () => [floats([2 ** 17], 0, 1)], { features: ['large'] }),
    ...([[[2 ** 16, 4], [0]], [[3, 2 ** 12, 5], [1]], [[3, 2 ** 15], [1]], [[1009, 7], [0]], [[2, 2003, 3], [1]], [[64, 3, 256], [0, 2]], [[2 ** 16, 1], [0]]] as const).map(([shape, axes]) =>
      valueCase('reduceSum', `positive numbers ${show(shape)} over ${show(axes)}`, (x) => sum(x, axes), () => [floats(shape, 0, 1)], { features: ['large'] })),
    valueCase('reduceSum', 'the gradient of a bias', (b, c) => grad((y: Tensor) => sum(mul(broadcastTo(y, [2 ** 13, 3]), c)))(b), () => [floats([3]), floats([2 ** 13, 3], 0, 1, 'cotangent')], { features: ['large'] }),
    valueCase('reduceSum', 'terms that cancel', (x) => sum(x, 1), () => [f32([1e7, 1, -1e7, 1, 3e6, -3e6, 0.5, 0.25], [2, 4])]),
    valueCase('reduceSum', 'keepDims', (x) => sum(x, -1, keep), () => [floats([2, 3, 4])], { features: ['negative-axes'] }),
    valueCase('reduceSum', 'mean', (x) => mean(x, [0, -1]), () => [floats([2, 3, 4])], { features: ['negative-axes'] }),
    valueCase('reduceSum', 'of a product', (x, y) => sum(mul(x, y), -1), () => [floats([4, 33]), floats([33], -1, 1, 'y')]),
    valueCase('reduceSum', 'int32 wraps around', (x) => sum(x), () => [i32([2 ** 31 - 1, 1, 5])], { features: ['int32', 'overflow'] }),
    valueCase('reduceMax', 'minimum', (x) => min(x, -1), () => [floats([3, 4])], { features: ['negative-axes'] }),
    valueCase('reduceMax', 'minimum of NaN and infinities', (x) => min(x, 1), () => [f32(UNRULY, [5, 3])], { features: ['nan', 'infinity'] }),
    valueCase('reduceMax', 'minimum of nothing', (x) => min(x, 0), () => [floats([0, 3])], { features: ['zero-size'] }),
    valueCase('reduceMax', 'int32 of nothing', (x) => [max(x, 0), min(x, 0)], () => [i32([], [0, 3])], { features: ['int32', 'zero-size'] }),
    valueCase('reduceMax', 'minimum of the least int32', (x) => [min(x), min(x, 0), max(x, 0)], () => [i32([-(2 ** 31), 3, 2 ** 31 - 1, -(2 ** 31)], [2, 2])], { features: ['int32', 'overflow'] }),
    valueCase('reduceMax', 'all negative', (x) => max(x, 1), () => [floats([3, 4], -9, -5)]),
    valueCase('reduceMax', 'int32 beyond 2^24', (x) => max(x), () => [i32([2 ** 24, 2 ** 24 + 1, -5])], { features: ['int32'] }),
  ]; // prettier-ignore
}

function argMaxCases(): GraphCase[] {
  const of = (
    variant: string,
    f: (x: Tensor) => Tensor,
    input: () => HostArray,
    features: readonly Feature[] = [],
  ) => valueCase('argMax', variant, f, () => [input()], { features });
  return [
    ...AXES.flatMap(([shape]) =>
      shape.map((_, axis) =>
        of(`${show(shape)} along ${axis}`, (x) => argMax(x, axis), () => floats(shape), [
          ...(shape.length === 5 ? (['rank-5'] as const) : []),
        ]),
      ),
    ),
    of('int32 along -1', (x) => argMax(x), () => ints([4, 7]), ['int32', 'negative-axes']),
    of('first of equal ones', (x) => argMax(x), () => f32([1, 3, 3, 2, 5, 5, 5, 5, -1, -1, -2, -1], [3, 4])),
    of('[0,3] along 1', (x) => argMax(x, 1), () => floats([0, 3]), ['zero-size']),
    of('[3,0] along 0', (x) => argMax(x, 0), () => floats([3, 0]), ['zero-size']),
    of('int32 beyond 2^24', (x) => argMax(x), () => i32([2 ** 24, 2 ** 24 + 1, -5]), ['int32']),
    of('of transposed', (x) => argMax(transpose(x), 1), () => floats([3, 4]), ['layout']),
    of('infinities', (x) => argMax(x), () => f32([-Infinity, 1, Infinity, -Infinity, -Infinity, -Infinity], [2, 3]), ['infinity']),
    of('the first NaN', (x) => argMax(x), () => f32([1, NaN, 3, NaN, NaN, 1, 2, Infinity, NaN, -Infinity, -Infinity, NaN], [4, 3]), ['nan']),
    of('the first NaN of columns', (x) => argMax(x, 0), () => f32(UNRULY, [5, 3]), ['nan', 'infinity']),
    of('zeros of either sign', (x) => argMax(x), () => f32([-0, 0, 0, -0], [2, 2]), ['signed-zero']),
    of('the extreme int32', (x) => argMax(x), () => i32([-(2 ** 31), -(2 ** 31), 2 ** 31 - 1, 2 ** 31 - 1], [2, 2]), ['int32']),
    of('a NaN among 2^12', (x) => argMax(x, 1), () => f32(Array.from({ length: 2 ** 13 }, (_, i) => (i === 3000 ? NaN : i === 8000 ? Infinity : i % 97)), [2, 2 ** 12]), ['nan', 'large']),
    of('2^15 along 0', (x) => argMax(x, 0), () => floats([2 ** 15]), ['large']),
  ]; // prettier-ignore
}

/** All of them. */
export function reductionCases(): GraphCase[] {
  return [...sumAndMax(), ...further(), ...argMaxCases()];
}
