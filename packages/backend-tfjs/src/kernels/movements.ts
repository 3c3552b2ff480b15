/** Repetition, slices and padding from kernels that know neither steps nor gaps. */
import { sizeOf, type Shape } from '@meanflow/core';
import type { StoredValue } from '../program/program.js';
import { reshaped } from '../schedule.js';
import type { Emit, Emitter } from './emitter.js';

/** Axes of size one, in front, so that the operand has the rank of the result. */
const alignedTo = (shape: Shape, rank: number): number[] => [
  ...new Array<number>(rank - shape.length).fill(1),
  ...shape,
];

export const broadcastTo: Emit<'broadcastTo'> = ({ emitter, inputs: [x], attributes: { shape }, output }) => {
  const aligned = reshaped(x, alignedTo(x.shape, shape.length));
  const reps = shape.map((n, axis) => (aligned.shape[axis] === n ? 1 : n));
  return emitter.kernel('Tile', { x: aligned }, output, { reps });
};

export const slice: Emit<'slice'> = ({
  emitter,
  inputs: [x],
  attributes: { starts, limits, strides },
  output,
}) => {
  if (strides.every((stride) => stride === 1)) {
    const size = limits.map((limit, axis) => limit - starts[axis]!);
    return emitter.kernel('Slice', { x }, output, { begin: starts, size });
  }
  return stepped(emitter, x, starts, strides, output.shape);
};

/**
 * A slice with steps, from kernels that have none: whole steps are cut out (with zeros behind the last where the axis
 * ends too early), and of each the first element is kept.
 */
function stepped(
  emitter: Emitter,
  x: StoredValue,
  starts: readonly number[],
  strides: readonly number[],
  shape: Shape,
): StoredValue {
  const { dtype } = x;
  const whole = shape.map((n, axis) => n * strides[axis]!);
  const high = whole.map((n, axis) => Math.max(0, starts[axis]! + n - x.shape[axis]!));
  const none = high.map(() => 0);
  const padded = high.every((n) => n === 0)
    ? x
    : emitter.node('pad', [x], { low: none, high, interior: none }, {
        dtype,
        shape: x.shape.map((n, axis) => n + high[axis]!),
      }); // prettier-ignore
  const cut = emitter.node(
    'slice',
    [padded],
    { starts, limits: whole.map((n, axis) => n + starts[axis]!), strides: none.map(() => 1) },
    { dtype, shape: whole },
  );
  // One axis at a time, so that no kernel sees more than three.
  let result = cut;
  let current = whole;
  for (const [axis, stride] of strides.entries()) {
    if (stride === 1) continue;
    const outer = sizeOf(current.slice(0, axis)) * shape[axis]!;
    const inner = sizeOf(current.slice(axis + 1));
    const begin = [0, 0, 0];
    result = emitter.kernel('Slice', { x: reshaped(result, [outer, stride, inner]) }, { dtype, shape: [outer, 1, inner] }, {
      begin, size: [outer, 1, inner],
    }); // prettier-ignore
    current = current.map((n, a) => (a === axis ? shape[axis]! : n));
  }
  return reshaped(result, shape);
}

export const pad: Emit<'pad'> = ({ emitter, inputs: [x], attributes: { low, high, interior }, output }) => {
  if (x.dtype === 'bool') {
    const asInt = emitter.cast(x, 'int32');
    const padded = emitter.node('pad', [asInt], { low, high, interior }, { ...output, dtype: 'int32' });
    return emitter.cast(padded, 'bool');
  }
  const { dtype } = x;
  let current = x;
  let after = high;
  if (interior.some((gap) => gap > 0)) {
    // Zeros behind every element along a new axis; those behind the last are taken off the padding, or cropped.
    for (const [axis, gap] of interior.entries()) {
      if (gap === 0) continue;
      const [outer, inner] = [
        sizeOf(current.shape.slice(0, axis + 1)),
        sizeOf(current.shape.slice(axis + 1)),
      ];
      const spread = emitter.kernel('PadV2', { x: reshaped(current, [outer, 1, inner]) }, { dtype, shape: [outer, 1 + gap, inner] }, {
        paddings: [[0, 0], [0, gap], [0, 0]], constantValue: 0,
      }); // prettier-ignore
      current = reshaped(
        spread,
        current.shape.map((n, a) => (a === axis ? n * (1 + gap) : n)),
      );
    }
    const surplus = interior.map((gap, axis) => Math.max(0, gap - high[axis]!));
    after = high.map((n, axis) => Math.max(0, n - interior[axis]!));
    if (surplus.some((n) => n > 0)) {
      const limits = current.shape.map((n, axis) => n - surplus[axis]!);
      const starts = limits.map(() => 0);
      const strides = limits.map(() => 1);
      current = emitter.node('slice', [current], { starts, limits, strides }, { dtype, shape: limits });
    }
  }
  if ([...low, ...after].every((n) => n === 0)) return current;
  const paddings = low.map((n, axis) => [n, after[axis]]);
  return emitter.kernel('PadV2', { x: current }, output, { paddings, constantValue: 0 });
};
