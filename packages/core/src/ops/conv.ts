/**
 * conv: cross-correlation of `[batch, channels, ...space]` with `[features, channels / groups, ...window]`, over any
 * number of spatial axes. With strides, padding, dilation of either operand and groups it is closed under
 * differentiation: the derivatives of a convolution are convolutions.
 */
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { conv, reshape, reverse, transpose } from '../functions.js';
import type { Tensor } from '../tensor.js';
import { formatShape, sizeOf, stridesOf, type Shape } from '../types.js';
import type { ConvWindow } from './attributes.js';
import { stridedIndices } from './broadcasting.js';
import { allocate, type OpDefinition } from './definition.js';

/** Extent of `n` elements with `dilation − 1` gaps between neighbours. */
const dilated = (n: number, dilation: number) => (n === 0 ? 0 : (n - 1) * dilation + 1);

function outputSpace(space: Shape, window: Shape, w: ConvWindow): number[] {
  return space.map((n, axis) => {
    const extent = dilated(n, w.lhsDilation[axis]) + w.padding[axis][0] + w.padding[axis][1];
    const reach = dilated(window[axis], w.rhsDilation[axis]);
    return extent < reach ? 0 : Math.floor((extent - reach) / w.strides[axis]) + 1;
  });
}

function check(x: Shape, kernel: Shape, w: ConvWindow): void {
  const spatial = x.length - 2;
  if (spatial < 1 || kernel.length !== x.length) {
    throw new ShapeError(
      `needs [batch, channels, ...space] and [features, channels/groups, ...window] of one rank, got ${formatShape(x)} and ${formatShape(kernel)}.`,
    );
  }
  for (const [name, list] of [
    ['strides', w.strides],
    ['lhsDilation', w.lhsDilation],
    ['rhsDilation', w.rhsDilation],
  ] as const) {
    if (list.length !== spatial || list.some((n) => !Number.isInteger(n) || n < 1)) {
      throw new ArgumentError(`${name} needs ${spatial} positive integers, got [${list.join(', ')}].`);
    }
  }
  if (w.padding.length !== spatial || !w.padding.flat().every(Number.isInteger)) {
    throw new ArgumentError(`padding needs ${spatial} pairs of integers, got ${JSON.stringify(w.padding)}.`);
  }
  if (!Number.isInteger(w.groups) || w.groups < 1) {
    throw new ArgumentError(`groups is a positive integer, got ${w.groups}.`);
  }
  if (x[1] !== kernel[1] * w.groups || kernel[0] % w.groups !== 0) {
    throw new ShapeError(
      `${w.groups} group(s) of ${kernel[1]} channels do not fit ${x[1]} channels and ${kernel[0]} features.`,
    );
  }
}

/** Exchanges the two leading axes. */
function swapLeading(x: Tensor): Tensor {
  return transpose(x, [1, 0, ...x.shape.slice(2).map((_, axis) => axis + 2)]);
}

/** `[g·a, b, ...]` → `[g·b, a, ...]`: exchanges the leading axes within each group. */
function swapWithinGroups(x: Tensor, groups: number): Tensor {
  if (groups === 1) return swapLeading(x);
  const [ga, b, ...rest] = x.shape;
  const split = reshape(x, [groups, ga / groups, b, ...rest]);
  const swapped = transpose(split, [0, 2, 1, ...rest.map((_, axis) => axis + 3)]);
  return reshape(swapped, [groups * b, ga / groups, ...rest]);
}

/** `[b, g·c, ...]` → `[c, g·b, ...]`: batch and channels exchange roles, group by group. */
function groupsIntoChannels(x: Tensor, groups: number): Tensor {
  if (groups === 1) return swapLeading(x);
  const [b, gc, ...rest] = x.shape;
  const split = reshape(x, [b, groups, gc / groups, ...rest]);
  const swapped = transpose(split, [2, 1, 0, ...rest.map((_, axis) => axis + 3)]);
  return reshape(swapped, [gc / groups, groups * b, ...rest]);
}

/** Input's cotangent: the output's, dilated by the strides, correlated with the flipped kernel. */
function inputCotangent(cotangent: Tensor, x: Shape, kernel: Tensor, w: ConvWindow): Tensor {
  const flipped = reverse(
    kernel,
    w.strides.map((_, axis) => axis + 2),
  );
  const padding = w.padding.map(([low], axis): [number, number] => {
    const reach = dilated(kernel.shape[axis + 2], w.rhsDilation[axis]);
    const before = reach - 1 - low;
    const extent = dilated(x[axis + 2], w.lhsDilation[axis]) + reach - 1;
    return [before, extent - dilated(cotangent.shape[axis + 2], w.strides[axis]) - before];
  });
  return conv(cotangent, swapWithinGroups(flipped, w.groups), {
    ...w,
    strides: w.lhsDilation,
    lhsDilation: w.strides,
    padding,
  });
}

/** Kernel's cotangent: the input correlated with the output's cotangent, the batch being summed as channels. */
function kernelCotangent(cotangent: Tensor, x: Tensor, kernel: Shape, w: ConvWindow): Tensor {
  const padding = w.padding.map(([low], axis): [number, number] => {
    const extent =
      dilated(cotangent.shape[axis + 2], w.strides[axis]) +
      dilated(kernel[axis + 2], w.rhsDilation[axis]) -
      1;
    return [low, extent - dilated(x.shape[axis + 2], w.lhsDilation[axis]) - low];
  });
  const result = conv(groupsIntoChannels(x, w.groups), swapLeading(cotangent), {
    ...w,
    strides: w.rhsDilation,
    rhsDilation: w.strides,
    padding,
  });
  return swapLeading(result);
}

export const convOp: OpDefinition<ConvWindow> = {
  infer: ([x, kernel], w) => {
    if (x.dtype !== 'float32' || kernel.dtype !== 'float32') {
      throw new DTypeError(`takes float32 operands, got ${x.dtype} and ${kernel.dtype}.`);
    }
    check(x.shape, kernel.shape, w);
    const space = outputSpace(x.shape.slice(2), kernel.shape.slice(2), w);
    return { dtype: 'float32', shape: [x.shape[0], kernel.shape[0], ...space] };
  },
  jvp: ({ inputs: [x, kernel], tangents: [dx, dk], attributes }) => {
    const left = dx && conv(dx, kernel, attributes);
    const right = dk && conv(x, dk, attributes);
    return left && right ? left.add(right) : (left ?? right);
  },
  transpose: ({ cotangent, inputs: [x, kernel], linear, attributes }) => [
    linear[0] ? inputCotangent(cotangent, x.shape, kernel, attributes) : undefined,
    linear[1] ? kernelCotangent(cotangent, x, kernel.shape, attributes) : undefined,
  ],
  evaluate: ([x, kernel], w, type) => {
    const out = allocate('float32', sizeOf(type.shape));
    const [batch, features, ...outSpace] = type.shape;
    const space = x.shape.slice(2);
    const window = kernel.shape.slice(2);
    const xStrides = stridesOf(x.shape);
    const kernelStrides = stridesOf(kernel.shape);
    const coordinates = (shape: Shape) => {
      const strides = stridesOf(shape);
      return Array.from(stridedIndices(strides, shape, 0), (index) =>
        shape.map((n, axis) => Math.floor(index / strides[axis]) % n),
      );
    };
    // For each output place and window place: the input offset that meets it, or −1 in padding and gaps.
    const windowPlaces = coordinates(window);
    const meets = coordinates(outSpace).map((place) =>
      windowPlaces.map((k) => {
        let offset = 0;
        for (let axis = 0; axis < space.length; axis++) {
          const at = place[axis] * w.strides[axis] + k[axis] * w.rhsDilation[axis] - w.padding[axis][0];
          const index = at / w.lhsDilation[axis];
          if (at < 0 || !Number.isInteger(index) || index >= space[axis]) return -1;
          offset += index * xStrides[axis + 2];
        }
        return offset;
      }),
    );
    const channels = kernel.shape[1];
    const featuresPerGroup = features / w.groups;
    let at = 0;
    for (let b = 0; b < batch; b++) {
      for (let f = 0; f < features; f++) {
        const firstChannel = Math.floor(f / featuresPerGroup) * channels;
        for (const offsets of meets) {
          let sum = 0;
          for (let c = 0; c < channels; c++) {
            const xBase = b * xStrides[0] + (firstChannel + c) * xStrides[1];
            const kernelBase = f * kernelStrides[0] + c * kernelStrides[1];
            offsets.forEach((offset, k) => {
              if (offset >= 0) sum += x.data[xBase + offset] * kernel.data[kernelBase + k];
            });
          }
          out[at++] = sum;
        }
      }
    }
    return out;
  },
  flops: (inputs, output) => 2 * sizeOf(output.shape) * sizeOf(inputs[1].shape.slice(1)),
};
