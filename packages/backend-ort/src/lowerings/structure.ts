/** Sources, `stopGradient` and `optimizationBarrier`. */
import { hostDTypeOf, sizeOf, type HostArray, type TensorType } from '@meanflow/core';
import { isFloat } from '@meanflow/core/backend';
import { toElements } from '../elements.js';
import type { ValueName } from '../onnx/model.js';
import type { ModelBuilder } from '../onnx/model-builder.js';
import type { Lowering, Operand } from './lowering.js';

/** One value everywhere. */
export function fill(builder: ModelBuilder, { dtype, shape }: TensorType, value: number): ValueName {
  if (sizeOf(shape) === 0) return builder.constant(dtype, shape, []);
  const scalar = builder.scalar(dtype, value);
  return shape.length === 0 ? scalar : builder.node('Expand', [scalar, builder.ints(shape)]);
}

/** Constants up to this size are compared, so that equal ones are stored once. */
const SHARED_SIZE = 64;

export const constant: Lowering<'constant'> = ({ builder, attributes: { dtype, value }, output }) => {
  if (value.size <= SHARED_SIZE) return builder.constant(dtype, output.shape, Array.from(value.data));
  return builder.initializer(
    dtype,
    output.shape,
    toElements((value as HostArray).to(hostDTypeOf(dtype)), dtype),
  );
};

export const iota: Lowering<'iota'> = ({ builder, attributes: { dtype, shape, axis } }) => {
  const line = shape.map((size, a) => (a === axis ? size : 1));
  const values = Array.from({ length: shape[axis]! }, (_, i) => i);
  const coordinates = builder.constant(dtype, line, values);
  const isLine = line.every((size, a) => size === shape[a]);
  return isLine ? coordinates : builder.node('Expand', [coordinates, builder.ints(shape)]);
};

export const stopGradient: Lowering<'stopGradient'> = ({ inputs: [x] }) => x.name;

/**
 * `(x, after) → x`. ONNX Runtime removes Identity nodes, merges equal computations and joins reshapes, any of which
 * would undo a recomputation. So `x` gets an axis and loses it again, at an index that is zero but that ONNX Runtime
 * cannot know before `after` exists. Both steps pass on the memory of `x`: the barrier copies nothing, whatever the
 * size, and costs a handful of one-element nodes.
 */
export const optimizationBarrier: Lowering<'optimizationBarrier'> = ({
  builder,
  inputs: [x, after],
  output,
}) => {
  const widened = builder.node('Unsqueeze', [x.name, zeroOnce(builder, after)]);
  return builder.node('Squeeze', [widened, builder.ints([0])], { type: output });
};

/** An int64 zero of shape `[1]` that exists once `after` does. */
function zeroOnce(builder: ModelBuilder, after: Operand): ValueName {
  if (sizeOf(after.shape) === 0) return builder.ints([0]);
  const flat =
    after.shape.length === 1 ? after.name : builder.node('Reshape', [after.name, builder.ints([-1])]);
  const element = builder.node('Slice', [flat, builder.ints([0]), builder.ints([1])]);
  // A NaN has no integer value; whether it is one has.
  const asBool = isFloat(after.dtype) ? builder.node('IsNaN', [element]) : element;
  const number = builder.node('Cast', [asBool], { attributes: { to: 7n } });
  return builder.node('Mul', [number, builder.ints([0])]);
}
