/** Values of the ops that only move elements, over every dtype, and of the sources. */
import {
  add,
  broadcastTo,
  concat,
  constant,
  div,
  expandDims,
  full,
  HostArray,
  iota,
  mul,
  oneHot,
  pad,
  reshape,
  reverse,
  slice,
  split,
  stopGradient,
  transpose,
  type DType,
  type Shape,
  type Tensor,
} from '@meanflow/core';
import { valueCase, type TensorFunction } from './build.js';
import type { Feature, GraphCase } from './case.js';
import { bool, bools, f32, floats, i32, ints, show } from './inputs.js';

interface Row {
  readonly op: string;
  readonly variant: string;
  readonly f: (x: Tensor) => Tensor;
  readonly shape: Shape;
  readonly features?: readonly Feature[];
}

const row = (op: string, variant: string, f: (x: Tensor) => Tensor, shape: Shape, ...features: Feature[]): Row => ({
  op,
  variant,
  f,
  shape,
  features: [...features, ...(shape.length === 5 ? (['rank-5'] as const) : [])],
}); // prettier-ignore

const to = (op: 'reshape' | 'broadcastTo', from: Shape, shape: Shape, ...features: Feature[]): Row =>
  row(
    op,
    `${show(from)} to ${show(shape)}`,
    (x) => (op === 'reshape' ? reshape : broadcastTo)(x, shape),
    from,
    ...features,
  );
const permute = (shape: Shape, order: readonly number[], ...features: Feature[]): Row =>
  row('transpose', `${show(shape)} by ${show(order)}`, (x) => transpose(x, order), shape, ...features);
const cut = (
  shape: Shape,
  starts: number[],
  limits: number[],
  strides?: number[],
  ...features: Feature[]
): Row =>
  row(
    'slice',
    `${show(shape)} ${show(starts)} to ${show(limits)} by ${show(strides ?? [1])}`,
    (x) => slice(x, starts, limits, strides),
    shape,
    ...features,
  );
const flip = (shape: Shape, axes: number[], ...features: Feature[]): Row =>
  row('reverse', `${show(shape)} along ${show(axes)}`, (x) => reverse(x, axes), shape, ...features);
const padded = (shape: Shape, low: number[], high: number[], interior?: number[], ...features: Feature[]): Row =>
  row('pad', `${show(shape)} low ${show(low)} high ${show(high)} interior ${show(interior ?? [0])}`, (x) => pad(x, { low, high, ...(interior && { interior }) }), shape, ...features); // prettier-ignore

const ROWS: readonly Row[] = [
  to('reshape', [], [1]),
  to('reshape', [1, 1], []),
  to('reshape', [6], [2, 3]),
  to('reshape', [2, 3, 4], [4, 6]),
  to('reshape', [2, 3, 4], [-1]),
  to('reshape', [2, 6], [1, 2, 2, 3, 1]),
  to('reshape', [2, 2, 1, 3, 2], [3, 8]),
  to('reshape', [0, 3], [3, 0, 2], 'zero-size'),
  row('reshape', 'of transposed', (x) => reshape(transpose(x), [2, 6]), [3, 4], 'layout'),
  row('reshape', 'expandDims -1', (x) => expandDims(x, -1), [3, 4], 'negative-axes'),

  permute([3, 4], [1, 0]),
  permute([2, 3, 4], [2, 0, 1]),
  permute([2, 3, 4], [0, 2, 1]),
  permute([2, 3, 4], [-1, 0, -2], 'negative-axes'),
  permute([2, 1, 3, 4], [0, 2, 1, 3]),
  permute([2, 1, 3, 4], [3, 2, 1, 0]),
  permute([2, 3, 1, 2, 2], [4, 0, 3, 1, 2]),
  permute([3, 3, 3], [1, 2, 0]),
  permute([2, 2, 2, 2], [2, 0, 3, 1]),
  permute([2, 2, 2, 2, 2], [1, 2, 3, 4, 0]),
  permute([2, 0, 3], [2, 1, 0], 'zero-size'),
  permute([33, 65], [1, 0], 'large'),
  row('transpose', 'twice', (x) => transpose(transpose(x, [1, 2, 0]), [1, 0, 2]), [2, 3, 4], 'layout'),
  row('transpose', 'of sliced', (x) => transpose(slice(x, [1, 0], [4, 5], [1, 2])), [4, 6], 'layout'),

  to('broadcastTo', [], [2, 3]),
  to('broadcastTo', [1], [4]),
  to('broadcastTo', [3], [2, 3]),
  to('broadcastTo', [3, 1], [2, 3, 4]),
  to('broadcastTo', [2, 1, 3, 1], [2, 4, 3, 2]),
  to('broadcastTo', [2, 1, 1], [3, 2, 2, 4, 2]),
  to('broadcastTo', [1, 3], [0, 3], 'zero-size'),
  row('broadcastTo', 'of transposed', (x) => broadcastTo(transpose(x), [2, 4, 3]), [3, 4], 'layout'),

  cut([7], [2], [6]),
  cut([7], [1], [7], [3]),
  cut([4, 5], [1, 0], [3, 5], [1, 2]),
  cut([4, 5], [0, 4], [4, 5]),
  cut([3, 4, 5], [1, 1, 1], [3, 4, 4], [2, 1, 2]),
  cut([3, 1, 4, 2], [0, 0, 1, 1], [2, 1, 4, 2], [1, 1, 2, 1]),
  cut([2, 3, 1, 4, 3], [0, 1, 0, 0, 2], [2, 3, 1, 4, 3], [1, 1, 1, 3, 1]),
  cut([4, 5], [2, 0], [2, 5], undefined, 'zero-size'),
  cut([0, 3], [0, 1], [0, 3], undefined, 'zero-size'),
  row('slice', 'of transposed', (x) => slice(transpose(x), [1, 0], [4, 3], [2, 1]), [3, 4], 'layout'),
  row('slice', 'of sliced', (x) => slice(slice(x, [1], [9], [2]), [1], [4], [2]), [10], 'layout'),
  row('slice', 'split along -1', (x) => add(...(split(x, [2, 2], -1) as [Tensor, Tensor])), [3, 4], 'negative-axes'),

  flip([5], [0]),
  flip([3, 4], [1]),
  flip([3, 4], [0, 1]),
  flip([2, 3, 4], [-1, 0], 'negative-axes'),
  flip([2, 2, 1, 3, 2], [1, 3, 4]),
  flip([0, 3], [0], 'zero-size'),
  row('reverse', 'of transposed', (x) => reverse(transpose(x), [0]), [3, 4], 'layout'),

  padded([4], [1], [2]),
  padded([4], [0], [0], [2]),
  padded([3, 4], [1, 0], [0, 2], [1, 3]),
  padded([2, 3, 2], [0, 1, 2], [1, 1, 0]),
  padded([2, 1, 3, 2], [1, 0, 2, 0], [0, 1, 0, 1], [1, 0, 1, 0]),
  padded([2, 1, 1, 2, 2], [0, 1, 0, 0, 1], [1, 0, 0, 1, 0], [0, 0, 0, 1, 0]),
  padded([0], [2], [1], undefined, 'zero-size'),
  padded([0, 2], [0, 1], [1, 1], [2, 0], 'zero-size'),
  row('pad', 'of transposed', (x) => pad(transpose(x), { low: [1, 1] }), [3, 4], 'layout'),

  row('stopGradient', 'passes its operand', (x) => stopGradient(x), [2, 3]),
]; // prettier-ignore

const DRAW: Readonly<Record<DType, (shape: Shape) => HostArray>> = {
  float32: (shape) => floats(shape),
  float16: (shape) => floats(shape),
  int32: (shape) => ints(shape, -(2 ** 31), 2 ** 31),
  bool: (shape) => bools(shape),
};

/** Bools cannot be added, and are what `split` is tested with by an addition. */
const takesBool = ({ variant }: Row) => !variant.startsWith('split');

function rowCases(): GraphCase[] {
  const dtypes = ['float32', 'int32', 'bool'] as const;
  return ROWS.flatMap((entry) =>
    dtypes
      .filter((dtype) => dtype !== 'bool' || takesBool(entry))
      .map((dtype) =>
        valueCase(entry.op, `${dtype} ${entry.variant}`, entry.f, () => [DRAW[dtype](entry.shape)], {
          features: [...(entry.features ?? []), ...(dtype === 'float32' ? [] : [dtype])],
        }),
      ),
  );
}

function specialCases(): GraphCase[] {
  const numbers = () => [f32([NaN, Infinity, -Infinity, 1e-40, 2 ** -149, 3.5], [2, 3])];
  const functions: Readonly<Record<string, (x: Tensor) => Tensor>> = {
    reshape: (x) => reshape(x, [3, 2]),
    transpose: (x) => transpose(x),
    broadcastTo: (x) => broadcastTo(x, [2, 2, 3]),
    slice: (x) => slice(x, [0, 0], [2, 3], [1, 2]),
    reverse: (x) => reverse(x, [0]),
    pad: (x) => pad(x, { low: [1, 0], interior: [0, 1] }),
    concat: (x) => concat([x, x], 1),
  };
  // Reciprocals tell the zeros apart, whose signs are not looked at.
  const zeros = () => [f32([0, -0, 0, -0, -0, 0], [2, 3])];
  return Object.entries(functions).flatMap(([op, f]) => [
    valueCase(op, 'moves NaN, infinities and denormals', f, numbers, {
      features: ['nan', 'infinity', 'denormal'],
    }),
    valueCase(op, 'moves zeros with their signs', (x) => div(1, f(x)), zeros, {
      features: ['infinity', 'signed-zero'],
    }),
  ]);
}

function concatCases(): GraphCase[] {
  const of = (
    variant: string,
    axis: number,
    shapes: readonly Shape[],
    dtype: DType,
    ...features: Feature[]
  ) =>
    valueCase('concat', `${dtype} ${variant}`, (...inputs) => concat(inputs, axis), () => shapes.map(DRAW[dtype]), {
      features: [...features, ...(dtype === 'float32' ? [] : [dtype])],
    }); // prettier-ignore
  const all = (variant: string, axis: number, shapes: readonly Shape[], ...features: Feature[]) =>
    (['float32', 'int32', 'bool'] as const).map((dtype) => of(variant, axis, shapes, dtype, ...features));
  const layout: TensorFunction = (x, y) => concat([transpose(x), slice(y, [0, 0], [4, 4], [1, 2])], 1);
  return [
    ...all('[3] and [2]', 0, [[3], [2]]),
    ...all('three along 0', 0, [
      [2, 3],
      [1, 3],
      [4, 3],
    ]),
    ...all('two along -1', -1, [[2, 3], [2, 2]], 'negative-axes'),
    ...all('rank 4 along 2', 2, [[2, 1, 3, 2], [2, 1, 1, 2]]),
    ...all('rank 5 along 1', 1, [[2, 1, 1, 3, 2], [2, 2, 1, 3, 2]], 'rank-5'),
    ...all('with an empty one', 1, [[2, 0], [2, 3], [2, 0]], 'zero-size'),
    ...all('one alone', 0, [[2, 3]]),
    of('one twelve times', 0, Array.from({ length: 12 }, () => [1, 3]), 'float32'),
    valueCase('concat', 'of transposed and sliced', layout, () => [floats([3, 4]), floats([4, 4], -2, 2, 'y')], { features: ['layout'] }),
  ]; // prettier-ignore
}

function sourceCases(): GraphCase[] {
  const anchored =
    (f: () => Tensor): TensorFunction =>
    (x) =>
      add(f(), x);
  return [
    ...(['float32', 'int32'] as const).flatMap((dtype) =>
      ([[[5], 0], [[3, 4], 0], [[3, 4], 1], [[2, 3, 4], 1], [[2, 1, 3, 2], 2], [[2, 2, 1, 3, 2], 3], [[0, 2], 1]] as const).map(([shape, axis]) =>
        valueCase('iota', `${dtype} ${show(shape)} along ${axis}`, () => iota(shape, axis, dtype), () => [floats([1])], {
          features: [...(dtype === 'int32' ? (['int32'] as const) : []), ...((shape as Shape).includes(0) ? (['zero-size'] as const) : [])],
        }),
      ),
    ),
    valueCase('iota', 'in an expression', (x) => mul(iota([4], 0, 'float32'), x), () => [floats([4])]),
    valueCase('iota', 'oneHot', (x) => oneHot(x, 4), () => [i32([0, 3, 1, 2, 2])]),
    valueCase('constant', 'a number', anchored(() => constant(0.1)), () => [floats([3])]),
    valueCase('constant', 'returned', () => constant([[1.5, 0.1], [-2, 1 / 3]]), () => [floats([1])]),
    valueCase('constant', 'NaN, infinities, denormal', () => constant([NaN, Infinity, -Infinity, 1e-40]), () => [floats([1])], { features: ['nan', 'infinity', 'denormal'] }),
    valueCase('constant', 'int32', anchored(() => constant([2 ** 24 + 1, -7, 2 ** 31 - 1], 'int32')), () => [i32([0, 0, 0])], { features: ['int32'] }),
    valueCase('constant', 'bool', () => constant(bool([1, 0, 1])), () => [floats([1])], { features: ['bool'] }),
    valueCase('constant', 'empty', () => constant(new HostArray('float32', [0, 2], new Float32Array(0))), () => [floats([1])], { features: ['zero-size'] }),
    valueCase('constant', '4,100 elements', (x) => mul(constant(floats([4100], -1, 1, 'constant')), x), () => [floats([4100])], { features: ['large'] }),
    valueCase('constant', 'zero and minus zero stay apart', (x) => concat([div(x, constant(0)), div(x, constant(-0))]), () => [f32([1, -2])], { features: ['infinity', 'signed-zero'] }),
    valueCase('constant', 'float64 becomes float32', anchored(() => constant(new HostArray('float64', [2], Float64Array.of(1 / 3, 1e-50)))), () => [floats([2])]),
    valueCase('constant', 'full', (x) => add(full([2, 3], 0.7), x), () => [floats([2, 3])]),
  ]; // prettier-ignore
}

/** All of them. */
export function shapingCases(): GraphCase[] {
  return [...rowCases(), ...specialCases(), ...concatCases(), ...sourceCases()];
}
