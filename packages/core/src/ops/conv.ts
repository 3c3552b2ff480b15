/**
 * conv: cross-correlation of `[batch, channels, ...space]` with `[features, channels / groups, ...window]`, over any
 * number of spatial axes, with strides, padding, dilation of either operand and groups.
 */
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { formatShape, isFloat, sizeOf, stridesOf, type Shape } from '../types.js';
import type { ConvWindow } from './attributes.js';
import { stridedIndices } from './broadcasting.js';
import { allocate, type Meaning } from './definition.js';

/** Extent of `n` elements with `dilation − 1` gaps between neighbours. */
export const dilated = (n: number, dilation: number) => (n === 0 ? 0 : (n - 1) * dilation + 1);

function outputSpace(space: Shape, window: Shape, w: ConvWindow): number[] {
  return space.map((n, axis) => {
    const extent = dilated(n, w.lhsDilation[axis]!) + w.padding[axis]![0] + w.padding[axis]![1];
    const reach = dilated(window[axis]!, w.rhsDilation[axis]!);
    return extent < reach ? 0 : Math.floor((extent - reach) / w.strides[axis]!) + 1;
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
  if (x[1] !== kernel[1]! * w.groups || kernel[0]! % w.groups !== 0) {
    throw new ShapeError(
      `${w.groups} group(s) of ${kernel[1]} channels do not fit ${x[1]} channels and ${kernel[0]} features.`,
    );
  }
}

export const convOp: Meaning<'conv'> = {
  infer: ([x, kernel], w) => {
    if (!isFloat(x.dtype) || x.dtype !== kernel.dtype) {
      throw new DTypeError(`takes two operands of float32 or float16, got ${x.dtype} and ${kernel.dtype}.`);
    }
    check(x.shape, kernel.shape, w);
    const space = outputSpace(x.shape.slice(2), kernel.shape.slice(2), w);
    return { dtype: x.dtype, shape: [x.shape[0]!, kernel.shape[0]!, ...space] };
  },
  evaluate: ([x, kernel], w, type) => {
    const out = allocate(type.dtype, sizeOf(type.shape));
    const [batch = 0, features = 0, ...outSpace] = type.shape;
    const space = x.shape.slice(2);
    const window = kernel.shape.slice(2);
    const xStrides = stridesOf(x.shape);
    const kernelStrides = stridesOf(kernel.shape);
    const coordinates = (shape: Shape) => {
      const strides = stridesOf(shape);
      return Array.from(stridedIndices(strides, shape, 0), (index) =>
        shape.map((n, axis) => Math.floor(index / strides[axis]!) % n),
      );
    };
    // For each output place and window place: the input offset that meets it, or −1 in padding and gaps.
    const windowPlaces = coordinates(window);
    const meets = coordinates(outSpace).map((place) =>
      windowPlaces.map((k) => {
        let offset = 0;
        for (let axis = 0; axis < space.length; axis++) {
          const at = place[axis]! * w.strides[axis]! + k[axis]! * w.rhsDilation[axis]! - w.padding[axis]![0];
          const index = at / w.lhsDilation[axis]!;
          if (at < 0 || !Number.isInteger(index) || index >= space[axis]!) return -1;
          offset += index * xStrides[axis + 2]!;
        }
        return offset;
      }),
    );
    const channels = kernel.shape[1]!;
    const featuresPerGroup = features / w.groups;
    let at = 0;
    for (let b = 0; b < batch; b++) {
      for (let f = 0; f < features; f++) {
        const firstChannel = Math.floor(f / featuresPerGroup) * channels;
        for (const offsets of meets) {
          let sum = 0;
          for (let c = 0; c < channels; c++) {
            const xBase = b * xStrides[0]! + (firstChannel + c) * xStrides[1]!;
            const kernelBase = f * kernelStrides[0]! + c * kernelStrides[1]!;
            offsets.forEach((offset, k) => {
              if (offset >= 0) sum += x.data[xBase + offset]! * kernel.data[kernelBase + k]!;
            });
          }
          out[at++] = sum;
        }
      }
    }
    return out;
  },
  flops: ([, kernel], output) => 2 * sizeOf(output.shape) * sizeOf(kernel.shape.slice(1)),
};
