/**
 * Convolution. ONNX's Conv has strides, kernel dilation, groups and non-negative padding. Cropping is done before it;
 * an input dilation with unit strides is a ConvTranspose of the flipped kernel, which skips the inserted zeros; an
 * input dilation with strides inserts them. Where matrix products are faster, they take its place.
 */
import { BackendError, type ConvWindow, type Shape } from '@meanflow/core';
import { formatType, leading } from '@meanflow/core/validation';
import { each } from '@meanflow/core/backend';
import type { ValueName } from '../onnx/model.js';
import { ints, type ModelBuilder } from '../onnx/model-builder.js';
import type { Lowering, Operand } from './lowering.js';
import { convolutionByProducts, suitsProducts } from './conv-products.js';
import { padWith, permute, reshapeTo, reverseAxes } from './shaping.js';

/** ONNX Runtime's kernels take one to three spatial axes. */
const MAX_SPATIAL_AXES = 3;

/** Pads (or crops, where negative) the spatial axes, with gaps between elements. */
function padSpatial(
  builder: ModelBuilder,
  x: Operand,
  padding: readonly (readonly [number, number])[],
  dilation: readonly number[],
): ValueName {
  return padWith(builder, x.name, x.shape, {
    low: [0, 0, ...padding.map(([low]) => low)],
    high: [0, 0, ...padding.map(([, high]) => high)],
    interior: [0, 0, ...dilation.map((d) => d - 1)],
  });
}

const pads = (padding: readonly (readonly [number, number])[]) =>
  ints([...padding.map(([low]) => low), ...padding.map(([, high]) => high)]);

function forward(builder: ModelBuilder, x: Operand, kernel: Operand, window: ConvWindow): ValueName {
  const isPlain = window.lhsDilation.every((d) => d === 1) && window.padding.flat().every((n) => n >= 0);
  const input = isPlain ? x.name : padSpatial(builder, x, window.padding, window.lhsDilation);
  return builder.node('Conv', [input, kernel.name], {
    attributes: {
      strides: ints(window.strides),
      pads: pads(isPlain ? window.padding : window.padding.map(() => [0, 0])),
      dilations: ints(window.rhsDilation),
      group: BigInt(window.groups),
      kernel_shape: ints(kernel.shape.slice(2)),
    },
  });
}

/** `[g·f, c, ...]` → `[g·c, f, ...]`, flipped in space: the kernel as ConvTranspose wants it. */
function transposedKernel(builder: ModelBuilder, kernel: Operand, groups: number): ValueName {
  const [features, channels] = leading(kernel.shape, 2);
  const space = kernel.shape.slice(2);
  const spatial = space.map((_, axis) => axis + 2);
  const flipped = reverseAxes(
    builder,
    kernel.name,
    spatial.filter((axis) => kernel.shape[axis]! > 1),
  );
  const split = [groups, features / groups, channels, ...space];
  const grouped = reshapeTo(builder, flipped, kernel.shape, split);
  const swapped = permute(builder, grouped, [0, 2, 1, ...space.map((_, axis) => axis + 3)]);
  return builder.node('Reshape', [swapped, builder.ints([groups * channels, features / groups, ...space])]);
}

/**
 * With input dilation s and unit strides, output size o = (n − 1)·s + 1 + low + high − reach, where reach = (k − 1)·d:
 * ConvTranspose's (n − 1)·s + reach + 1 less (reach − low) before and (reach − high) after. Where low or high is
 * more than reach, the surplus reads nothing but padding and is zero.
 */
function transposed(
  builder: ModelBuilder,
  x: Operand,
  kernel: Operand,
  window: ConvWindow,
  output: Shape,
): ValueName | undefined {
  const reach = kernel.shape.slice(2).map((k, axis) => (k - 1) * window.rhsDilation[axis]!);
  const crop = window.padding.map((pair, axis) => each(pair, (n) => Math.max(0, reach[axis]! - n)));
  const surplus = window.padding.map((pair, axis) => each(pair, (n) => Math.max(0, n - reach[axis]!)));
  // Where nothing but surplus remains there is no convolution to write.
  if (surplus.some(([low, high], axis) => output[axis + 2]! - low - high <= 0)) return undefined;
  const result = builder.node('ConvTranspose', [x.name, transposedKernel(builder, kernel, window.groups)], {
    attributes: {
      strides: ints(window.lhsDilation),
      pads: pads(crop),
      dilations: ints(window.rhsDilation),
      group: BigInt(window.groups),
      kernel_shape: ints(kernel.shape.slice(2)),
    },
  });
  const edges = ([0, 1] as const).flatMap((side) => [0, 0, ...surplus.map((pair) => pair[side])]);
  return edges.every((n) => n === 0) ? result : builder.node('Pad', [result, builder.ints(edges)]);
}

/** What a provider has. */
interface ConvSupport {
  /** Most spatial axes of a ConvTranspose. */
  readonly maxTransposed: number;
  /** Most spatial axes of a Conv with groups; with more, each group is convolved for itself. */
  readonly maxGrouped: number;
  /** Whether windows larger than the result are faster as matrix products; false by default. */
  readonly prefersProducts?: boolean;
}

/** Each group for itself: channels and features in as many parts. */
function byGroups(builder: ModelBuilder, x: Operand, kernel: Operand, window: ConvWindow): ValueName {
  const { groups } = window;
  const part = (operand: Operand, axis: number, index: number): Operand => {
    const size = operand.shape[axis]! / groups;
    const range = [[index * size], [(index + 1) * size], [axis]].map((list) => builder.ints(list));
    const shape = operand.shape.map((n, a) => (a === axis ? size : n));
    return { ...operand, shape, name: builder.node('Slice', [operand.name, ...range]) };
  };
  const parts = Array.from({ length: groups }, (_, i) =>
    forward(builder, part(x, 1, i), part(kernel, 0, i), { ...window, groups: 1 }),
  );
  return builder.node('Concat', parts, { attributes: { axis: 1n } });
}

export const convolution =
  ({ maxTransposed, maxGrouped, prefersProducts = false }: ConvSupport): Lowering<'conv'> =>
  ({ builder, inputs: [x, kernel], attributes: window, output }) => {
    const spatial = window.strides.length;
    if (spatial > MAX_SPATIAL_AXES) {
      throw new BackendError(
        `conv of ${formatType(x)} with ${formatType(kernel)}: ONNX Runtime convolves over at most ` +
          `${MAX_SPATIAL_AXES} spatial axes, got ${spatial}.`,
      );
    }
    if (prefersProducts && suitsProducts(kernel.shape, window, output.shape)) {
      return convolutionByProducts(builder, x, kernel, window, output.shape);
    }
    const isTransposed =
      spatial <= maxTransposed &&
      window.lhsDilation.some((d) => d > 1) &&
      window.strides.every((s) => s === 1);
    const result = isTransposed ? transposed(builder, x, kernel, window, output.shape) : undefined;
    if (result !== undefined) return result;
    return window.groups > 1 && spatial > maxGrouped
      ? byGroups(builder, x, kernel, window)
      : forward(builder, x, kernel, window);
  };
