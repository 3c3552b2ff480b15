/** Shape ops. */
import { sameShape, type Shape } from '@meanflow/core';
import type { ValueName } from '../onnx/model.js';
import { ints, type ModelBuilder } from '../onnx/model-builder.js';
import { castTo } from './elementwise.js';
import type { Lowering } from './lowering.js';

/** The same elements under another shape; nothing at all when it is the same. */
export function reshapeTo(builder: ModelBuilder, x: ValueName, from: Shape, to: Shape): ValueName {
  return sameShape(from, to) ? x : builder.node('Reshape', [x, builder.ints(to)]);
}

export function permute(builder: ModelBuilder, x: ValueName, permutation: readonly number[]): ValueName {
  const isIdentity = permutation.every((axis, i) => axis === i);
  return isIdentity ? x : builder.node('Transpose', [x], { attributes: { perm: ints(permutation) } });
}

export const reshape: Lowering<'reshape'> = ({ builder, inputs: [x], output }) =>
  reshapeTo(builder, x.name, x.shape, output.shape);

export const transpose: Lowering<'transpose'> = ({ builder, inputs: [x], attributes: { permutation } }) =>
  permute(builder, x.name, permutation);

export const broadcastTo: Lowering<'broadcastTo'> = ({ builder, inputs: [x], output }) =>
  sameShape(x.shape, output.shape) ? x.name : builder.node('Expand', [x.name, builder.ints(output.shape)]);

export const slice: Lowering<'slice'> = ({
  builder,
  inputs: [x],
  attributes: { starts, limits, strides },
}) => {
  const axes = x.shape
    .map((_, axis) => axis)
    .filter((axis) => starts[axis] !== 0 || limits[axis] !== x.shape[axis] || strides[axis] !== 1);
  if (axes.length === 0) return x.name;
  const along = (values: readonly number[]) => builder.ints(axes.map((axis) => values[axis]!));
  return builder.node('Slice', [x.name, along(starts), along(limits), builder.ints(axes), along(strides)]);
};

export interface Padding {
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** Zeros between neighbours. */
  readonly interior: readonly number[];
}

/**
 * Zeros around and between the elements of `x`; negative `low` and `high` crop. Zeros between elements come from a
 * new axis behind each padded one, of which all but the first place are zeros.
 */
export function padWith(builder: ModelBuilder, x: ValueName, shape: Shape, padding: Padding): ValueName {
  const { low, high, interior } = padding;
  const edges = (before: readonly number[], after: readonly number[], operand: ValueName) =>
    [...before, ...after].every((n) => n === 0)
      ? operand
      : builder.node('Pad', [operand, builder.ints([...before, ...after])]);
  if (interior.every((gap) => gap === 0)) return edges(low, high, x);
  const none = shape.flatMap(() => [0, 0]);
  const spread = builder.node('Pad', [
    reshapeTo(
      builder,
      x,
      shape,
      shape.flatMap((n) => [n, 1]),
    ),
    builder.ints([...none, ...interior.flatMap((gap) => [0, gap])]),
  ]);
  const flat = builder.node('Reshape', [
    spread,
    builder.ints(shape.map((n, axis) => n * (interior[axis]! + 1))),
  ]);
  // The last element's gap is not between two elements.
  return edges(
    low,
    high.map((n, axis) => n - interior[axis]!),
    flat,
  );
}

export const pad: Lowering<'pad'> = ({ builder, inputs: [x], attributes }) =>
  x.dtype === 'bool' && attributes.interior.some((gap) => gap > 0)
    ? castTo(builder, padWith(builder, castTo(builder, x.name, 'int32'), x.shape, attributes), 'bool')
    : padWith(builder, x.name, x.shape, attributes);

export const concat: Lowering<'concat'> = ({ builder, inputs, attributes: { axis } }) => {
  const filled = inputs.filter(({ shape }) => shape[axis]! > 0);
  if (filled.length === 1) return filled[0]!.name;
  return builder.node(
    'Concat',
    filled.map(({ name }) => name),
    { attributes: { axis: BigInt(axis) } },
  );
};

/** Beyond every start of a backward slice; ONNX counts small negative ends from the back. */
const BEFORE_FIRST = -(2 ** 31);

export function reverseAxes(builder: ModelBuilder, x: ValueName, axes: readonly number[]): ValueName {
  if (axes.length === 0) return x;
  const all = (value: number) => builder.ints(axes.map(() => value));
  return builder.node('Slice', [x, all(-1), all(BEFORE_FIRST), builder.ints(axes), all(-1)]);
}

export const reverse: Lowering<'reverse'> = ({ builder, inputs: [x], attributes: { axes } }) =>
  reverseAxes(builder, x.name, axes);
