/**
 * The derivative of `conv`, which is bilinear. With strides, padding, dilation of either operand and groups convolution is
 * closed under differentiation: its derivatives are convolutions.
 */
import { conv } from '../functions/contractions.js';
import { reshape, reverse, transpose } from '../functions/shaping.js';
import type { ConvWindow } from '../ops/attributes.js';
import { dilated } from '../ops/conv.js';
import type { Tensor } from '../tensor.js';
import type { Shape } from '../types.js';
import { bilinear } from './combinators.js';
import type { Rule } from './rule.js';

/** Batch and channels, or features and channels, which the op's type rule has checked are there, and the rest. */
const leadingTwo = (shape: Shape) => shape as readonly [number, number, ...number[]];

/** Exchanges the two leading axes. */
function swapLeading(x: Tensor): Tensor {
  return transpose(x, [1, 0, ...x.shape.slice(2).map((_, axis) => axis + 2)]);
}

/** `[g·a, b, ...]` → `[g·b, a, ...]`: exchanges the leading axes within each group. */
function swapWithinGroups(x: Tensor, groups: number): Tensor {
  if (groups === 1) return swapLeading(x);
  const [ga, b, ...rest] = leadingTwo(x.shape);
  const split = reshape(x, [groups, ga / groups, b, ...rest]);
  const swapped = transpose(split, [0, 2, 1, ...rest.map((_, axis) => axis + 3)]);
  return reshape(swapped, [groups * b, ga / groups, ...rest]);
}

/** `[b, g·c, ...]` → `[c, g·b, ...]`: batch and channels exchange roles, group by group. */
function groupsIntoChannels(x: Tensor, groups: number): Tensor {
  if (groups === 1) return swapLeading(x);
  const [b, gc, ...rest] = leadingTwo(x.shape);
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
    const reach = dilated(kernel.shape[axis + 2]!, w.rhsDilation[axis]!);
    const before = reach - 1 - low;
    const extent = dilated(x[axis + 2]!, w.lhsDilation[axis]!) + reach - 1;
    return [before, extent - dilated(cotangent.shape[axis + 2]!, w.strides[axis]!) - before];
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
      dilated(cotangent.shape[axis + 2]!, w.strides[axis]!) +
      dilated(kernel[axis + 2]!, w.rhsDilation[axis]!) -
      1;
    return [low, extent - dilated(x.shape[axis + 2]!, w.lhsDilation[axis]!) - low];
  });
  const result = conv(groupsIntoChannels(x, w.groups), swapLeading(cotangent), {
    ...w,
    strides: w.rhsDilation,
    rhsDilation: w.strides,
    padding,
  });
  return swapLeading(result);
}

export const convRule: Rule<'conv'> = bilinear(
  (cotangent, [x, kernel], window) => inputCotangent(cotangent, x.shape, kernel, window),
  (cotangent, [x, kernel], window) => kernelCotangent(cotangent, x, kernel.shape, window),
);
