/**
 * The residual block of the DDPM++ U-Net (Ho et al., 2020; Song et al., "Score-Based Generative Modeling through Stochastic
 * Differential Equations", 2021, appendix H; as parametrised by Karras et al., 2022): two convolutions of normalised
 * activations with the condition added between them, at the same, half or twice the resolution, and self-attention after
 * them at some resolutions. Sums with the skip connection are scaled by √½, so that activations keep their variance.
 */
import { add, mul, reshape, silu, split, type Symbolic, type Tensor } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { conv2d, conv2dParameters, type Conv2dInitialisation, type Conv2dParameters } from './conv2d.js';
import { groupNormParameters, scaledGroupNorm, type GroupNormParameters } from './group-norm.js';
import { imageAttention } from './image-attention.js';
import { linear, linearParameters, type LinearParameters } from './linear.js';
import type { Described } from './parameters.js';
import { downsample, upsample } from './resample.js';

export type UNetBlockParameters = {
  readonly norm0: GroupNormParameters;
  readonly conv0: Conv2dParameters;
  /** From the condition to what is added to each channel. */
  readonly affine: LinearParameters;
  readonly norm1: GroupNormParameters;
  readonly conv1: Conv2dParameters;
  /** What the input goes through on its way to the sum, where channels or resolution change. */
  readonly skip?: Conv2dParameters | undefined;
  readonly attention?:
    | {
        readonly norm: GroupNormParameters;
        /** Queries, keys and values, one after the other; `[3 · channels, channels, 1, 1]`. */
        readonly qkv: Conv2dParameters;
        readonly proj: Conv2dParameters;
      }
    | undefined;
};

/** A block's place in the network. */
export interface UNetBlockShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly resample?: 'down' | 'up';
  readonly attention?: boolean;
}

const xavier = { kind: 'xavier', gain: 1 } as const;
/** For the last layer of a branch, which begins next to nothing. */
export const NEARLY_ZERO: Conv2dInitialisation = { kind: 'xavier', gain: 1e-5 };
const QKV: Conv2dInitialisation = { kind: 'xavier', gain: Math.sqrt(0.2) };

/**
 * Two 3 × 3 convolutions `inputs → outputs → outputs` with their norms, and what the shape asks for beside.
 *
 * @param conditionWidth columns of the condition
 */
export function unetBlockParameters(
  { inputs, outputs, resample, attention = false }: UNetBlockShape,
  conditionWidth: number,
): Described<UNetBlockParameters> {
  return {
    norm0: groupNormParameters(inputs),
    conv0: conv2dParameters(inputs, outputs, 3, xavier),
    affine: linearParameters(conditionWidth, outputs, 'xavier'),
    norm1: groupNormParameters(outputs),
    conv1: conv2dParameters(outputs, outputs, 3, NEARLY_ZERO),
    ...(inputs !== outputs || resample !== undefined
      ? { skip: conv2dParameters(inputs, outputs, 1, xavier) }
      : {}),
    ...(attention
      ? {
          attention: {
            norm: groupNormParameters(outputs),
            qkv: conv2dParameters(outputs, 3 * outputs, 1, QKV),
            proj: conv2dParameters(outputs, outputs, 1, NEARLY_ZERO),
          },
        }
      : {}),
  };
}

/** What a block is given beside its parameters and its input. */
export interface UNetBlockOptions {
  /** `[batch, conditionWidth]` */
  readonly condition: Tensor;
  readonly resample?: 'down' | 'up' | undefined;
  readonly resampleFilter: readonly number[];
  /** Applied before the second convolution; nothing is dropped by default. */
  readonly dropout?: ((x: Tensor) => Tensor) | undefined;
}

/** Normalises in up to 32 groups of 4 channels at least. */
export function unetNorm(params: Symbolic<GroupNormParameters>, x: Tensor): Tensor {
  return scaledGroupNorm(params, x, { groups: unetGroups(x.shape[1]!) });
}

/** The number of groups for so many channels. */
export function unetGroups(channels: number): number {
  return Math.min(32, Math.floor(channels / 4));
}

/** `[batch, inputs, height, width] → [batch, outputs, …]`, space halved or doubled where the block resamples. */
export function unetBlock(
  params: Symbolic<UNetBlockParameters>,
  x: Tensor,
  { condition, resample, resampleFilter, dropout = (y) => y }: UNetBlockOptions,
): Tensor {
  const resampled = (y: Tensor): Tensor => {
    if (resample === undefined) return y;
    return resample === 'down' ? downsample(y, resampleFilter) : upsample(y, resampleFilter);
  };
  const first = conv2d(params.conv0, resampled(silu(unetNorm(params.norm0, x))));
  const [batch, channels] = leading(first.shape, 2);
  const shift = reshape(linear(params.affine, condition), [batch, channels, 1, 1]);
  const hidden = silu(unetNorm(params.norm1, add(first, shift)));
  const second = conv2d(params.conv1, dropout(hidden));
  const skipped = params.skip === undefined ? x : conv2d(params.skip, resampled(x));
  const y = mul(Math.SQRT1_2, add(second, skipped));
  if (params.attention === undefined) return y;
  const { norm, qkv, proj } = params.attention;
  const [q, k, v] = split(conv2d(qkv, unetNorm(norm, y)), [channels, channels, channels], 1);
  const attended = imageAttention(q, k, v);
  return mul(Math.SQRT1_2, add(conv2d(proj, attended), y));
}
