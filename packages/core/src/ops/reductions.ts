/** Reductions: the named axes are combined and disappear. Axes are distinct, non-negative and sorted. */
import { ArgumentError, DTypeError } from '../errors.js';
import { ofNothing } from '../special-values.js';
import { sizeOf, stridesOf, type Shape, type TensorType } from '../types.js';
import { stridedIndices } from './broadcasting.js';
import { allocate, type Meaning, type RefData, type RefValue } from './definition.js';

type Axes = { readonly axes: readonly number[] };

function without(shape: Shape, axes: readonly number[]): number[] {
  return shape.filter((_, axis) => !axes.includes(axis));
}

function inferReduction([x]: readonly [TensorType], { axes }: Axes): TensorType {
  if (x.dtype === 'bool') throw new DTypeError('takes float32, float16 or int32, got bool; cast first.');
  checkAxes(axes, x.shape);
  return { dtype: x.dtype, shape: without(x.shape, axes) };
}

function checkAxes(axes: readonly number[], shape: Shape): void {
  axes.forEach((axis, i) => {
    if (!Number.isInteger(axis) || axis < 0 || axis >= shape.length || (i > 0 && axis <= axes[i - 1]!)) {
      throw new ArgumentError(
        `axes [${axes.join(', ')}] are not sorted distinct axes of a rank-${shape.length} tensor.`,
      );
    }
  });
}

/** Calls `visit(outputIndex, inputIndices)` for each output element, with the elements that it combines. */
function forEachGroup(
  x: RefValue,
  axes: readonly number[],
  visit: (outputIndex: number, group: Int32Array) => void,
): void {
  const strides = stridesOf(x.shape);
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const pick = (values: readonly number[], chosen: readonly number[]) => chosen.map((axis) => values[axis]!);
  const starts = stridedIndices(pick(strides, kept), pick(x.shape, kept), 0);
  const offsets = stridedIndices(pick(strides, axes), pick(x.shape, axes), 0);
  starts.forEach((start, i) =>
    visit(
      i,
      offsets.map((offset) => start + offset),
    ),
  );
}

function reduce(
  x: RefValue,
  axes: readonly number[],
  type: TensorType,
  initial: number,
  f: (a: number, b: number) => number,
): RefData {
  const out = allocate(type.dtype, sizeOf(type.shape));
  forEachGroup(x, axes, (i, group) => {
    let accumulated = initial;
    for (const index of group) accumulated = f(accumulated, x.data[index]!);
    out[i] = accumulated;
  });
  return out;
}

/** The sum; of no elements it is 0. int32 wraps around. */
export const reduceSum: Meaning<'reduceSum'> = {
  infer: inferReduction,
  evaluate: ([x], { axes }, type) => reduce(x, axes, type, 0, (a, b) => a + b),
  flops: ([x]) => sizeOf(x.shape),
};

/**
 * The maximum; a NaN is greater than every number. Of no elements it is −∞, and of int32 the least one (JAX's
 * `lax.reduce_max`; `jnp.max` refuses them).
 */
export const reduceMax: Meaning<'reduceMax'> = {
  infer: inferReduction,
  evaluate: ([x], { axes }, type) => reduce(x, axes, type, ofNothing('reduceMax', type.dtype, {}), Math.max),
  flops: ([x]) => sizeOf(x.shape),
};

/** Whether `a` comes before `b` when the greatest is looked for: a NaN is greater than every number. */
const isGreater = (a: number, b: number): boolean => a > b || (Number.isNaN(a) && !Number.isNaN(b));

/** Index of the first maximum along one axis, as int32; where there are NaNs, of the first NaN. */
export const argMax: Meaning<'argMax'> = {
  infer: ([x], { axis }) => {
    if (x.dtype === 'bool') throw new DTypeError('takes float32, float16 or int32, got bool; cast first.');
    checkAxes([axis], x.shape);
    if (x.shape[axis] === 0) throw new ArgumentError(`axis ${axis} has no elements to choose from.`);
    return { dtype: 'int32', shape: without(x.shape, [axis]) };
  },
  evaluate: ([x], { axis }, type) => {
    const out = allocate('int32', sizeOf(type.shape));
    forEachGroup(x, [axis], (i, group) => {
      let best = 0;
      for (let k = 1; k < group.length; k++)
        if (isGreater(x.data[group[k]!]!, x.data[group[best]!]!)) best = k;
      out[i] = best;
    });
    return out;
  },
  flops: ([x]) => sizeOf(x.shape),
};
