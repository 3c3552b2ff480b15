/**
 * float32 sums whose roundings do not add up. ONNX Runtime adds the terms of a column one after another, and in Wasm those
 * of a row too: 2²⁵ ones come to 2²⁴. So sums are taken in parts of some dozen terms, the parts' sums again in parts, and so
 * on: pairwise summation with a wide base (Higham, "Accuracy and Stability of Numerical Algorithms", section 4.2). Sums
 * of whole columns are products with a row of ones, which are as fast as the operator for sums or faster. What is chosen
 * by size was measured on one thread: [1024, 256] over its columns takes 0.031 ms, by ReduceSum 0.046 ms.
 */
import { sizeOf, type Shape } from '@meanflow/core';
import type { ValueName } from '../onnx/model.js';
import type { ModelBuilder } from '../onnx/model-builder.js';
import { reshapeTo } from './shaping.js';

/** Terms that are added one after another, at most. */
const PART = 32;
/** The same for neighbours in memory, of which the CPU adds several at a time. */
const ROW_PART = 256;
/** Fewer terms in a part are not worth a pass over memory. */
const SMALL_PART = 8;

/** A stretch of axes as one: `before` and `after` are the sizes of those around it. */
export interface Stretch {
  readonly before: number;
  readonly size: number;
  readonly after: number;
}

/** Neighbouring axes that are summed, as stretches; the last first, and each as it lies once those behind it are summed. */
export function stretches(shape: Shape, axes: readonly number[]): Stretch[] {
  const found: Stretch[] = [];
  let after = 1;
  let size = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (axes.includes(axis)) size *= shape[axis]!;
    if (axes.includes(axis) && axis > 0) continue;
    if (size > 1) {
      const before = sizeOf(shape.slice(0, axes.includes(axis) ? axis : axis + 1));
      found.push({ before, size, after });
    }
    size = 1;
    if (!axes.includes(axis)) after *= shape[axis]!;
  }
  return found;
}

/** The sum over axes, which disappear. */
export function sumInParts(
  builder: ModelBuilder,
  x: ValueName,
  shape: Shape,
  axes: readonly number[],
): ValueName {
  const output = shape.filter((_, axis) => !axes.includes(axis));
  const sums = stretches(shape, axes).reduce((value, stretch) => sumStretch(builder, value, stretch), x);
  const flat = sums === x ? shape : undefined;
  return flat === undefined
    ? builder.node('Reshape', [sums, builder.ints(output)])
    : reshapeTo(builder, x, flat, output);
}

/** `[before, size, after]` to `[before, after]`. */
function sumStretch(builder: ModelBuilder, x: ValueName, { before, size, after }: Stretch): ValueName {
  const largest = after === 1 ? ROW_PART : PART;
  if (size <= largest) return sumOnce(builder, x, { before, size, after });
  const part = partOf(size);
  if (part >= SMALL_PART) {
    const rest = size / part;
    const whole =
      after === 1
        ? sumOnce(builder, x, { before: before * rest, size: part, after })
        : sumOnce(builder, x, { before, size: part, after: rest * after });
    return sumStretch(builder, whole, { before, size: rest, after });
  }
  // A size without a fitting divisor: what is beyond the largest multiple of a part is summed by itself.
  const head = size - (size % PART);
  const whole = builder.node('Reshape', [x, builder.ints([before, size, after])]);
  const sumOf = (start: number, end: number): ValueName => {
    const range = [[start], [end], [1]].map((list) => builder.ints(list));
    const slice = builder.node('Slice', [whole, ...range]);
    return sumStretch(builder, slice, { before, size: end - start, after });
  };
  return builder.node('Add', [sumOf(0, head), sumOf(head, size)]);
}

function sumOnce(builder: ModelBuilder, x: ValueName, { before, size, after }: Stretch): ValueName {
  if (before === 1 && after > 1) {
    const ones = builder.constant(
      'float32',
      [1, size],
      Array.from({ length: size }, () => 1),
    );
    const product = builder.node('Gemm', [ones, builder.node('Reshape', [x, builder.ints([size, after])])]);
    return builder.node('Reshape', [product, builder.ints([1, after])]);
  }
  const terms = builder.node('Reshape', [x, builder.ints([before, size, after])]);
  return builder.node('ReduceSum', [terms, builder.ints([1])], { attributes: { keepdims: 0n } });
}

/** The largest divisor that is a part. */
function partOf(size: number): number {
  for (let part = PART; part > 1; part--) if (size % part === 0) return part;
  return 1;
}
