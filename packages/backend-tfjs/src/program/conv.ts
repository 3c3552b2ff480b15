/**
 * Convolution over any number of spatial axes as 2-D convolutions in tfjs's layouts: `[batch, height, width,
 * channels]` with `[height, width, channels, features]`.
 *
 * - Cropping (negative padding) and input dilation are done to the input before.
 * - One spatial axis is two, the first of size one.
 * - Of more than two, the first is unrolled: a sum over the window's places along it of convolutions over the rest.
 * - Groups of one channel are a depthwise convolution; larger ones are convolved one by one and joined.
 */
import type { ConvWindow } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import type { Lowering } from './lowering.js';
import type { Conv2dWindow, ProgramBuilder, StoredValue } from './program.js';

type Pair = readonly [number, number];

/** A window without input dilation and with no negative padding. */
type PlainWindow = Omit<ConvWindow, 'lhsDilation'>;

/** The index range `[start, limit)` of one axis, with a step. */
function sliceAxis(
  builder: ProgramBuilder,
  x: StoredValue,
  axis: number,
  start: number,
  limit: number,
  stride = 1,
): StoredValue {
  if (start === 0 && limit === x.shape[axis] && stride === 1) return x;
  const at = (value: number, others: readonly number[]) => others.map((n, a) => (a === axis ? value : n));
  return builder.add(
    'slice',
    [x],
    {
      starts: at(
        start,
        x.shape.map(() => 0),
      ),
      limits: at(limit, x.shape),
      strides: at(
        stride,
        x.shape.map(() => 1),
      ),
    },
    { dtype: x.dtype, shape: at(Math.ceil((limit - start) / stride), x.shape) },
  );
}

function padAxes(
  builder: ProgramBuilder,
  x: StoredValue,
  padding: readonly Pair[],
  interior: readonly number[],
): StoredValue {
  const low = padding.map(([n]) => n);
  const high = padding.map(([, n]) => n);
  if ([...low, ...high, ...interior].every((n) => n === 0)) return x;
  const shape = x.shape.map((n, axis) => n + low[axis]! + high[axis]! + (n - 1) * interior[axis]!);
  return builder.add('pad', [x], { low, high, interior }, { dtype: x.dtype, shape });
}

/** The input with gaps and crops made; `undefined` where nothing of it is left, so that the result is zero. */
function withoutDilation(
  builder: ProgramBuilder,
  x: StoredValue,
  { lhsDilation, padding, ...rest }: ConvWindow,
): { input: StoredValue; window: PlainWindow } | undefined {
  const none: readonly Pair[] = [[0, 0], [0, 0]]; // prettier-ignore
  const gaps = [0, 0, ...lhsDilation.map((d) => d - 1)];
  let input = padAxes(builder, x, [...none, ...padding.map((): Pair => [0, 0])], gaps);
  for (const [axis, [low, high]] of padding.entries()) {
    const size = input.shape[axis + 2]!;
    const [start, limit] = [Math.max(0, -low), size - Math.max(0, -high)];
    if (start >= limit) return undefined;
    input = sliceAxis(builder, input, axis + 2, start, limit);
  }
  const kept = padding.map(([low, high]): Pair => [Math.max(0, low), Math.max(0, high)]);
  return { input, window: { ...rest, padding: kept } };
}

const permuted = (builder: ProgramBuilder, x: StoredValue, ...permutation: number[]) =>
  builder.transpose(x, permutation);

/** Places of a window along one axis. */
function places(size: number, window: number, stride: number, dilation: number, [low, high]: Pair): number {
  return Math.floor((size + low + high - (window - 1) * dilation - 1) / stride) + 1;
}

/** Two spatial axes: `x` is `[batch, channels, height, width]`. */
function conv2d(builder: ProgramBuilder, x: StoredValue, kernel: StoredValue, w: PlainWindow): StoredValue {
  const [batch, channels] = leading(x.shape, 2);
  const [features, groupChannels] = leading(kernel.shape, 2);
  const window = kernel.shape.slice(2);
  const space = [0, 1].map((axis) =>
    places(x.shape[axis + 2]!, window[axis]!, w.strides[axis]!, w.rhsDilation[axis]!, w.padding[axis]!),
  );
  const attributes: Conv2dWindow = {
    strides: w.strides as Pair,
    padding: w.padding as readonly [Pair, Pair],
    dilations: w.rhsDilation as Pair,
  };
  const isDepthwise = groupChannels === 1 && w.groups > 1;
  if (w.groups > 1 && !isDepthwise) return grouped(builder, x, kernel, w);
  const input = permuted(builder, x, 0, 2, 3, 1);
  const type = { dtype: x.dtype, shape: [batch, ...space, features] };
  let result: StoredValue;
  if (isDepthwise && w.strides.some((s) => s > 1) && w.rhsDilation.some((d) => d > 1)) {
    // tfjs's depthwise kernels have steps or dilation, not both: every place is computed, and some are taken.
    const dense = conv2d(builder, x, kernel, { ...w, strides: [1, 1] });
    return w.strides.reduce(
      (taken, stride, axis) =>
        sliceAxis(builder, taken, axis + 2, 0, (space[axis]! - 1) * stride + 1, stride),
      dense,
    );
  }
  if (isDepthwise) {
    // Feature f belongs to channel ⌊f / multiplier⌋, as in tfjs.
    const split = builder.reshape(kernel, [channels, features / channels, ...window]);
    const filter = permuted(builder, split, 2, 3, 0, 1);
    result = builder.add('depthwiseConv2d', [input, filter], attributes, type);
  } else {
    const filter = permuted(builder, kernel, 2, 3, 1, 0);
    result = builder.add('conv2d', [input, filter], attributes, type);
  }
  return permuted(builder, result, 0, 3, 1, 2);
}

function grouped(builder: ProgramBuilder, x: StoredValue, kernel: StoredValue, w: PlainWindow): StoredValue {
  const [features, channels] = leading(kernel.shape, 2);
  const perGroup = features / w.groups;
  const parts = Array.from({ length: w.groups }, (_, g) =>
    conv2d(
      builder,
      sliceAxis(builder, x, 1, g * channels, (g + 1) * channels),
      sliceAxis(builder, kernel, 0, g * perGroup, (g + 1) * perGroup),
      { ...w, groups: 1 },
    ),
  );
  const shape = parts[0]!.shape.map((n, axis) => (axis === 1 ? features : n));
  return builder.add('concat', parts, { axis: 1 }, { dtype: x.dtype, shape });
}

/** Three or more spatial axes: unrolls the first, whose places join the batch. */
function unrolled(builder: ProgramBuilder, x: StoredValue, kernel: StoredValue, w: PlainWindow): StoredValue {
  const [stride, dilation] = [w.strides[0]!, w.rhsDilation[0]!];
  const none = x.shape.map((): Pair => [0, 0]);
  const padded = padAxes(
    builder,
    x,
    none.map((pair, axis) => (axis === 2 ? w.padding[0]! : pair)),
    x.shape.map(() => 0),
  );
  const [batch, channels, depth] = leading(padded.shape, 3);
  const space = padded.shape.slice(3);
  const count = places(depth, kernel.shape[2]!, stride, dilation, [0, 0]);
  const rest: PlainWindow = {
    ...w,
    strides: w.strides.slice(1),
    padding: w.padding.slice(1),
    rhsDilation: w.rhsDilation.slice(1),
  };
  const axes = x.shape.map((_, axis) => axis);
  const depthFirst = builder.transpose(padded, [0, 2, 1, ...axes.slice(3)]);
  const terms = Array.from({ length: kernel.shape[2]! }, (_, k) => {
    const start = k * dilation;
    const part = sliceAxis(builder, depthFirst, 1, start, start + (count - 1) * stride + 1, stride);
    const flat = builder.reshape(part, [batch * count, channels, ...space]);
    const slice = sliceAxis(builder, kernel, 2, k, k + 1);
    const window = builder.reshape(
      slice,
      kernel.shape.filter((_, axis) => axis !== 2),
    );
    return convolve(builder, flat, window, rest);
  });
  const sum = terms.reduce((a, b) => builder.add('add', [a, b], {}, a));
  const split = builder.reshape(sum, [batch, count, ...sum.shape.slice(1)]);
  return builder.transpose(split, [0, 2, 1, ...axes.slice(3)]);
}

function convolve(builder: ProgramBuilder, x: StoredValue, kernel: StoredValue, w: PlainWindow): StoredValue {
  const spatial = w.strides.length;
  if (spatial > 2) return unrolled(builder, x, kernel, w);
  if (spatial === 2) return conv2d(builder, x, kernel, w);
  const flat = (value: StoredValue) => {
    const [first, second, length] = leading(value.shape, 3);
    return builder.reshape(value, [first, second, 1, length]);
  };
  const result = conv2d(builder, flat(x), flat(kernel), {
    groups: w.groups,
    strides: [1, ...w.strides],
    rhsDilation: [1, ...w.rhsDilation],
    padding: [[0, 0], ...w.padding],
  });
  const [batch, features, , length] = leading(result.shape, 4);
  return builder.reshape(result, [batch, features, length]);
}

export const conv: Lowering<'conv'> = ({ builder, inputs: [x, kernel], attributes, output }) => {
  const plain = withoutDilation(builder, x, attributes);
  if (plain !== undefined) return convolve(builder, plain.input, kernel, plain.window);
  return builder.fill(output, 0);
};
