/**
 * The functions whose derivatives are checked: every op that has a derivative, every composite, and the functions of core
 * whose rule depends on how they are called. Operands stay away from kinks, where there is nothing to compare.
 */
import * as mf from '@meanflow/core';
import type { HostArray, Shape, Tensor } from '@meanflow/core';
import type { TensorFunction } from './build.js';
import { bool, bools, f32, floats, i32, ints, separated } from './inputs.js';
import { namesakePairs } from './own-composites.js';

export interface DifferentiableFunction {
  readonly op: string;
  /** What distinguishes it from other entries of the op. */
  readonly variant?: string;
  readonly f: TensorFunction;
  /** Float operands are differentiated; the others are constants. */
  inputs(): readonly HostArray[];
}

const entry = (
  op: string,
  f: TensorFunction,
  inputs: () => readonly HostArray[],
  variant?: string,
): DifferentiableFunction => ({ op, f, inputs, ...(variant !== undefined && { variant }) });

const pair =
  (a: Shape, b: Shape, low = -2, high = 2) =>
  () => [floats(a, low, high, 'a'), floats(b, low, high, 'b')];
const one =
  (shape: Shape, low = -2, high = 2) =>
  () => [floats(shape, low, high)];
const apart = () => {
  const both = separated([2, 3, 2]);
  const data = [both.data.slice(0, 6), both.data.slice(6)];
  return data.map((values) => f32([...values], [2, 3]));
};

function elementwise(): DifferentiableFunction[] {
  const smooth: readonly (readonly [string, (x: Tensor) => Tensor, number, number])[] = [
    ['neg', mf.neg, -2, 2],
    ['exp', mf.exp, -2, 2],
    ['log', mf.log, 0.5, 3],
    ['log1p', mf.log1p, -0.5, 2],
    ['sqrt', mf.sqrt, 0.5, 3],
    ['rsqrt', mf.rsqrt, 0.5, 3],
    ['sin', mf.sin, -3, 3],
    ['cos', mf.cos, -3, 3],
    ['tanh', mf.tanh, -2, 2],
    ['sigmoid', mf.sigmoid, -3, 3],
    ['erf', mf.erf, -2, 2],
    ['erfc', mf.erfc, -2, 2],
  ];
  const steps: readonly (readonly [string, (x: Tensor) => Tensor])[] = [
    ['abs', mf.abs],
    ['sign', (x) => mf.mul(mf.sign(x), x)],
    ['floor', (x) => mf.sub(x, mf.floor(x))],
  ];
  return [
    ...smooth.map(([op, f, low, high]) => entry(op, f, one([2, 3], low, high))),
    ...steps.map(([op, f]) => entry(op, f, () => [separated([2, 3], 0.3)])),
    entry('cast', (x, i) => mf.mul(x, mf.cast(i, 'float32')), () => [floats([4]), i32([1, -2, 0, 3])], 'of an integer factor'),
  ]; // prettier-ignore
}

function severalOperands(): DifferentiableFunction[] {
  const broadcast: readonly (readonly [string, (x: Tensor | number, y: Tensor) => Tensor])[] = [
    ['add', mf.add],
    ['sub', mf.sub],
    ['mul', mf.mul],
  ];
  return [
    ...broadcast.flatMap(([op, f]) => [
      entry(op, f as TensorFunction, pair([2, 3], [2, 3])),
      entry(op, f as TensorFunction, pair([2, 1], [3]), 'broadcast'),
      entry(op, (x) => f(x, x), one([3]), 'of one operand twice'),
      entry(op, (x) => f(2, x), one([3]), 'with a number'),
    ]),
    entry('div', mf.div as TensorFunction, pair([2, 3], [2, 3], 0.5, 2)),
    entry('div', mf.div as TensorFunction, pair([3], [2, 1], 0.5, 2), 'broadcast'),
    entry('pow', mf.pow as TensorFunction, pair([2, 3], [2, 3], 0.5, 2)),
    entry('pow', (x) => mf.pow(x, 3), one([3], -2, 2), 'whole exponent of either sign'),
    entry('maximum', mf.maximum as TensorFunction, apart),
    entry('minimum', mf.minimum as TensorFunction, apart),
    entry('maximum', (x) => mf.clip(x, -0.2, 0.4), () => [separated([8], 0.17)], 'clip'),
    entry('select', (c, x, y) => mf.where(c, x, y), () => [bools([2, 3]), ...pair([2, 3], [3])()]),
    entry('less', (x, y) => mf.where(mf.less(x, y), mf.sin(x), mf.mul(x, y)), apart, 'as a condition'),
  ]; // prettier-ignore
}

function reductionsAndShapes(): DifferentiableFunction[] {
  const shape = [2, 3, 2];
  const of = (op: string, f: TensorFunction, variant?: string) => entry(op, f, one(shape), variant);
  // Squares, so that the second derivatives are not zero.
  const sq = (x: Tensor) => mf.square(x);
  return [
    of('reduceSum', (x) => mf.sum(sq(x), [0, -1])),
    of('reduceSum', (x) => mf.mean(sq(x), 1, { keepDims: true }), 'mean'),
    entry(
      'reduceMax',
      (x) => mf.max(x, 1),
      () => [separated(shape)],
    ),
    entry(
      'reduceMax',
      (x) => mf.min(mf.mul(x, mf.add(x, 3)), [0, 2]),
      () => [separated(shape)],
      'minimum',
    ),
    of('reshape', (x) => mf.reshape(sq(x), [3, 4])),
    of('transpose', (x) => mf.transpose(sq(x), [2, 0, 1])),
    entry('transpose', (x) => mf.transpose(sq(x), [1, 2, 0]), one([2, 2, 2]), 'a cube'),
    entry('broadcastTo', (x) => mf.broadcastTo(sq(x), [2, 3, 4]), one([3, 1])),
    of('slice', (x) => mf.slice(sq(x), [0, 0, 1], [2, 3, 2], [1, 2, 1])),
    of('pad', (x) => mf.pad(sq(x), { low: [1, 0, 0], high: [0, 2, 0], interior: [0, 1, 2] })),
    entry('concat', (x, y) => mf.concat([sq(x), y, mf.sin(x)], 1), pair([2, 2], [2, 1])),
    of('reverse', (x) => mf.reverse(sq(x), [0, 2])),
    of('optimizationBarrier', mf.checkpoint((x: Tensor) => mf.sin(sq(x))) as TensorFunction, 'checkpoint'),
  ];
}

function contractions(): DifferentiableFunction[] {
  const dots: readonly (readonly [string, Shape, Shape, mf.DotDimensions])[] = [
    ['matrices', [2, 3], [3, 2], { lhsBatch: [], rhsBatch: [], lhsContracting: [1], rhsContracting: [0] }],
    ['both transposed', [3, 2], [2, 3], { lhsBatch: [], rhsBatch: [], lhsContracting: [0], rhsContracting: [1] }],
    ['a batch', [2, 2, 3], [3, 2, 2], { lhsBatch: [0], rhsBatch: [1], lhsContracting: [2], rhsContracting: [0] }],
    ['cubes', [2, 2, 2], [2, 2, 2], { lhsBatch: [1], rhsBatch: [2], lhsContracting: [0], rhsContracting: [1] }],
    ['two contracting axes', [2, 3, 2], [2, 3, 3], { lhsBatch: [], rhsBatch: [], lhsContracting: [1, 2], rhsContracting: [2, 0] }],
  ]; // prettier-ignore
  const convs: readonly (readonly [string, Shape, Shape, Partial<mf.ConvWindow>])[] = [
    ['padding', [1, 2, 4, 3], [2, 2, 2, 2], { padding: [[1, 0], [0, 1]] }],
    ['strides', [1, 1, 5, 5], [2, 1, 2, 3], { strides: [2, 2], padding: [[1, 1], [0, 1]] }],
    ['dilation', [1, 1, 3, 5], [1, 1, 2, 2], { lhsDilation: [2, 1], rhsDilation: [1, 2] }],
    ['groups', [2, 4, 4], [4, 2, 2], { groups: 2, padding: [[1, 1]] }],
  ]; // prettier-ignore
  return [
    ...dots.map(([variant, a, b, dimensions]) =>
      entry('dotGeneral', (x, y) => mf.dotGeneral(x, y, dimensions), pair(a, b, -1, 1), variant),
    ),
    entry('dotGeneral', (x) => mf.einsum('ik,jk->ij', x, x), one([2, 3], -1, 1), 'with itself'),
    ...convs.map(([variant, x, kernel, window]) =>
      entry('conv', (a, b) => mf.conv(a, b, window), pair(x, kernel, -1, 1), variant),
    ),
    entry('gather', (table, at) => mf.gather(mf.square(table), at), () => [
      floats([4, 2]),
      i32([3, 0, 3]),
    ]), // prettier-ignore
    entry('scatterAdd', (updates, at) => mf.scatterAdd(mf.square(updates), at, 4), () => [
      floats([3, 2]),
      ints([3], 0, 4, 'indices'),
    ]), // prettier-ignore
  ];
}

function composites(): DifferentiableFunction[] {
  const row = one([2, 4]);
  const mask = () => [bool([1, 0, 1, 1]), floats([4])];
  return [
    entry('silu', mf.silu, row),
    entry('gelu', (x) => mf.gelu(x), row),
    entry('geluTanh', (x) => mf.gelu(x, { approximate: 'tanh' }), row),
    entry('softplus', mf.softplus, () => [separated([6], 0.4)]),
    entry('maximum', mf.relu, () => [separated([6])], 'relu'),
    entry('softmax', mf.softmax, row),
    entry('layerNorm', (x, scale, bias) => mf.layerNorm(x, { scale, bias }), () => [
      floats([2, 4]),
      floats([4], 0.5, 1.5, 'scale'),
      floats([4], -1, 1, 'bias'),
    ]), // prettier-ignore
    entry('layerNorm', (x, scale, bias) => mf.groupNorm(x, { groups: 2, scale, bias }), () => [
      floats([2, 4, 2]),
      floats([4], 0.5, 1.5, 'scale'),
      floats([4], -1, 1, 'bias'),
    ], 'groupNorm'), // prettier-ignore
    entry('rmsNorm', (x, scale) => mf.rmsNorm(x, { scale }), () => [
      floats([2, 4]),
      floats([4], 0.5, 1.5, 'scale'),
    ]), // prettier-ignore
    entry('attention', (q, k, v) => mf.attention(q, k, v), () => [
      floats([1, 2, 2, 2], -1, 1, 'q'),
      floats([1, 2, 3, 2], -1, 1, 'k'),
      floats([1, 2, 3, 2], -1, 1, 'v'),
    ]), // prettier-ignore
    entry('select', (c, x) => mf.softmax(mf.where(c, x, -1e9)), mask, 'masked softmax'),
    ...namesakePairs().map(({ op, own, inputs }) => entry(op, own, inputs, "a user's own of that name")),
  ];
}

/** All of them. */
export function differentiableFunctions(): readonly DifferentiableFunction[] {
  return [
    ...elementwise(),
    ...severalOperands(),
    ...reductionsAndShapes(),
    ...contractions(),
    ...composites(),
  ];
}
