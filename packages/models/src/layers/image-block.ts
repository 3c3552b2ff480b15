/**
 * The residual block of the plain U-Net: two 3 × 3 convolutions of normalised activations, the second modulated by the condition
 * (adaptive group normalisation; Dhariwal and Nichol, "Diffusion Models Beat GANs on Image Synthesis", 2021) and beginning at zero, and
 * after them, where it is asked for, self-attention of all places with one another.
 */
import { add, mul, reshape, silu, split, type Symbolic, type Tensor } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { conv2d, conv2dParameters, type Conv2dParameters } from './conv2d.js';
import { groupNormParameters, scaledGroupNorm, type GroupNormParameters } from './group-norm.js';
import { imageAttention } from './image-attention.js';
import { linear, linearParameters, type LinearParameters } from './linear.js';
import type { Described } from './parameters.js';

export type ImageBlockParameters = {
  readonly norm1: GroupNormParameters;
  readonly conv1: Conv2dParameters;
  readonly norm2: GroupNormParameters;
  /** From the condition to a scale and a shift of each channel; `[conditionWidth, 2 · outputs]`. */
  readonly modulation: LinearParameters;
  readonly conv2: Conv2dParameters;
  /** 1 × 1, where the number of channels changes. */
  readonly skip?: Conv2dParameters | undefined;
  readonly attention?:
    | {
        readonly norm: GroupNormParameters;
        /** Queries, keys and values, one after the other; 1 × 1. */
        readonly qkv: Conv2dParameters;
        readonly out: Conv2dParameters;
      }
    | undefined;
};

/** A block's place in the network. */
export interface ImageBlockShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly attention: boolean;
}

/** @param conditionWidth columns of the condition */
export function imageBlockParameters(
  { inputs, outputs, attention }: ImageBlockShape,
  conditionWidth: number,
): Described<ImageBlockParameters> {
  return {
    norm1: groupNormParameters(inputs),
    conv1: conv2dParameters(inputs, outputs, 3, 'pytorch'),
    norm2: groupNormParameters(outputs),
    modulation: linearParameters(conditionWidth, 2 * outputs, 'zero'),
    conv2: conv2dParameters(outputs, outputs, 3, 'zero'),
    ...(inputs === outputs ? {} : { skip: conv2dParameters(inputs, outputs, 1, 'pytorch') }),
    ...(attention
      ? {
          attention: {
            norm: groupNormParameters(outputs),
            qkv: conv2dParameters(outputs, 3 * outputs, 1, 'pytorch'),
            out: conv2dParameters(outputs, outputs, 1, 'zero'),
          },
        }
      : {}),
  };
}

/** Channels of a group of normalisation: groups of four, and at most 32 of them. */
export const imageGroups = (channels: number): number => {
  const most = Math.min(32, Math.max(1, Math.floor(channels / 4)));
  return Array.from({ length: most }, (_, i) => most - i).find((groups) => channels % groups === 0)!;
};

/** Normalises in groups of channels. */
export const imageNorm = (params: Symbolic<GroupNormParameters>, x: Tensor): Tensor =>
  scaledGroupNorm(params, x, { groups: imageGroups(x.shape[1]!) });

/**
 * `[batch, inputs, height, width] → [batch, outputs, height, width]`
 *
 * @param condition `[batch, conditionWidth]`, activated already
 */
export function imageBlock(params: Symbolic<ImageBlockParameters>, x: Tensor, condition: Tensor): Tensor {
  const first = conv2d(params.conv1, silu(imageNorm(params.norm1, x)));
  const [batch, channels] = leading(first.shape, 2);
  const [scale, shift] = split(linear(params.modulation, condition), [channels, channels]).map((each) =>
    reshape(each, [batch, channels, 1, 1]),
  ) as [Tensor, Tensor];
  const second = conv2d(params.conv2, silu(add(mul(imageNorm(params.norm2, first), add(1, scale)), shift)));
  const y = add(params.skip === undefined ? x : conv2d(params.skip, x), second);
  if (params.attention === undefined) return y;
  const { norm, qkv, out } = params.attention;
  const [q, k, v] = split(conv2d(qkv, imageNorm(norm, y)), [channels, channels, channels], 1);
  return add(y, conv2d(out, imageAttention(q, k, v)));
}
