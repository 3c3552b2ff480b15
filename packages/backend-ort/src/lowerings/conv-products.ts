/**
 * Convolution as matrix products, for windows that are larger than the result: the gradient of a convolution by its
 * kernel, where ONNX Runtime's Conv multiplies one image at a time by a handful of columns. Each place of the result
 * reads a part of `x` as it lies, `[batch, channels · window]` or its transpose, and is one product with the kernel,
 * `[features, channels · window]`. What is chosen by size here was measured (the U-Net of `npm run bench`).
 */
import { sizeOf, type ConvWindow, type Shape } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import type { ValueName } from '../onnx/model.js';
import type { ModelBuilder } from '../onnx/model-builder.js';
import type { Operand } from './lowering.js';
import { padWith, permute } from './shaping.js';

/** More would be many nodes for what Conv does well. */
const MAX_PLACES = 64;
/** Shorter runs of a part, in elements, are copied faster with the batch behind them. */
const LONG_RUN = 32;
/** A product with fewer columns is slow. */
const MIN_COLUMNS = 8;
/** Parts with at most so many elements for each one of the result are put together before one product, not after. */
const SMALL_PART = 4;

/** Whether products are the faster way. */
export function suitsProducts(kernel: Shape, { groups }: ConvWindow, output: Shape): boolean {
  const places = sizeOf(output.slice(2));
  return groups === 1 && places <= MAX_PLACES && places < sizeOf(kernel.slice(2));
}

/** Where each place of the result begins to read, in row-major order. */
function* startsOf(space: Shape, strides: readonly number[]): Generator<number[]> {
  if (space.length === 0) return yield [];
  for (let i = 0; i < space[0]!; i++) {
    for (const rest of startsOf(space.slice(1), strides.slice(1))) yield [i * strides[0]!, ...rest];
  }
}

export function convolutionByProducts(
  builder: ModelBuilder,
  x: Operand,
  kernel: Operand,
  window: ConvWindow,
  output: Shape,
): ValueName {
  const [batch, features] = leading(output, 2);
  const space = output.slice(2);
  const extent = kernel.shape.slice(2);
  const terms = sizeOf(kernel.shape.slice(1));
  const places = sizeOf(space);

  const batchLast = places > 1 && extent[extent.length - 1]! < LONG_RUN;
  const order = x.shape.map((_, axis) => (batchLast ? (axis + 1) % x.shape.length : axis));
  const firstSpatial = batchLast ? 1 : 2;
  const arrange = <T>(values: readonly T[]): T[] => order.map((axis) => values[axis]!);
  const padded = padWith(builder, permute(builder, x.name, order), arrange(x.shape), {
    low: arrange([0, 0, ...window.padding.map(([low]) => low)]),
    high: arrange([0, 0, ...window.padding.map(([, high]) => high)]),
    interior: arrange([0, 0, ...window.lhsDilation.map((d) => d - 1)]),
  });

  const axes = builder.ints(space.map((_, axis) => firstSpatial + axis));
  const steps = builder.ints(window.rhsDilation);
  const matrix = builder.ints(batchLast ? [terms, batch] : [batch, terms]);
  const parts = Array.from(startsOf(space, window.strides), (starts) => {
    const ends = starts.map((start, axis) => start + (extent[axis]! - 1) * window.rhsDilation[axis]! + 1);
    const part = builder.node('Slice', [padded, builder.ints(starts), builder.ints(ends), axes, steps]);
    return builder.node('Reshape', [part, matrix]);
  });
  const join = (values: readonly ValueName[], axis: bigint): ValueName =>
    values.length === 1 ? values[0]! : builder.node('Concat', values, { attributes: { axis } });
  const weights = builder.node('Reshape', [kernel.name, builder.ints([features, terms])]);
  const product = (part: ValueName): ValueName =>
    builder.node('Gemm', [weights, part], { attributes: { transB: batchLast ? 0n : 1n } });

  const joinsFirst = batch < MIN_COLUMNS || terms <= SMALL_PART * features;
  const products = joinsFirst
    ? ([product(join(parts, batchLast ? 1n : 0n)), [features, places, batch], [2, 0, 1]] as const)
    : ([join(parts.map(product), 0n), [places, features, batch], [2, 1, 0]] as const);
  const [found, shape, toOutput] = products;
  const apart = builder.node('Reshape', [found, builder.ints(shape)]);
  return builder.node('Reshape', [permute(builder, apart, toOutput), builder.ints(output)]);
}
