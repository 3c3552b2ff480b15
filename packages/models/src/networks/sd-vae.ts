/**
 * The autoencoder of Stable Diffusion (Rombach et al., "High-Resolution Image Synthesis with Latent Diffusion Models", 2022;
 * AutoencoderKL of the diffusers library, weights "ft-mse"): images of `[height, width, 3]` in [−1, 1] and latents of
 * `[height / 8, width / 8, 4]`, on which MeanFlow and improved MeanFlow are trained. Encoder and decoder are two networks,
 * since sampling needs the second alone. Outside, images and latents are channels last, as the transformers take them;
 * inside they are channels first, as convolutions do.
 */
import {
  add,
  ArgumentError,
  broadcastTo,
  clip,
  reshape,
  silu,
  split,
  transpose,
  type RandomKey,
  type Symbolic,
  type Tensor,
} from '@meanflow/core';
import { validate, leading } from '@meanflow/core/validation'; // prettier-ignore
import type { ParameterTreeOf } from '@meanflow/samplers';
import * as z from 'zod';
import { conv2d, conv2dParameters, type Conv2dParameters } from '../layers/conv2d.js';
import { groupNormParameters, scaledGroupNorm, type GroupNormParameters } from '../layers/group-norm.js';
import { imageAttention } from '../layers/image-attention.js';
import { linear, linearParameters, type LinearParameters } from '../layers/linear.js';
import { countParameters, initialiser, type Described } from '../layers/parameters.js';
import { resnetBlock, resnetBlockParameters, type ResnetBlockParameters } from '../layers/resnet-block.js';
import { count, layerCount } from './fields.js';

/** The autoencoder's sizes, as plain JSON; those of Stable Diffusion by default. */
export const sdVaeSchema = z.strictObject({
  imageChannels: count.default(3).describe('Channels of an image.'),
  latentChannels: count.default(4).describe('Channels of a latent.'),
  channels: z
    .array(count)
    .min(1)
    .max(16)
    .readonly()
    .default([128, 256, 512, 512])
    .describe('Channels at each resolution, the full one first, each next at half the one before.'),
  blocks: layerCount
    .default(2)
    .describe('Blocks at each resolution of the encoder; one more in the decoder.'),
  groups: count.default(32).describe('Groups of every group normalisation.'),
});
export type SdVaeConfig = z.input<typeof sdVaeSchema>;
type FullConfig = z.output<typeof sdVaeSchema>;

export type SdVaeMiddleParameters = {
  readonly before: ResnetBlockParameters;
  readonly attention: {
    readonly norm: GroupNormParameters;
    readonly query: LinearParameters;
    readonly key: LinearParameters;
    readonly value: LinearParameters;
    readonly out: LinearParameters;
  };
  readonly after: ResnetBlockParameters;
};

/** The blocks of one resolution, and the convolution that goes on to the next. */
export type SdVaeLevelParameters = {
  readonly blocks: readonly ResnetBlockParameters[];
  readonly resample?: Conv2dParameters | undefined;
};

export type SdVaeEncoderParameters = {
  readonly input: Conv2dParameters;
  /** From the full resolution down. */
  readonly levels: readonly SdVaeLevelParameters[];
  readonly middle: SdVaeMiddleParameters;
  readonly norm: GroupNormParameters;
  readonly out: Conv2dParameters;
  /** A 1×1 convolution of mean and log variance. */
  readonly quant: Conv2dParameters;
};

export type SdVaeDecoderParameters = {
  /** A 1×1 convolution of the latent. */
  readonly postQuant: Conv2dParameters;
  readonly input: Conv2dParameters;
  readonly middle: SdVaeMiddleParameters;
  /** From the lowest resolution up. */
  readonly levels: readonly SdVaeLevelParameters[];
  readonly norm: GroupNormParameters;
  readonly out: Conv2dParameters;
};

/** A half of the autoencoder. */
export interface SdVaeHalf<Params extends ParameterTreeOf<Params>, Outputs> {
  /** With every default filled in. */
  readonly config: FullConfig;
  /** Its parameters before they exist: the tree that `init` makes, with shapes for arrays. */
  readonly specs: Described<Params>;
  readonly parameterCount: number;
  init(key: RandomKey): Params;
  /** Traced, pure. */
  apply(params: Symbolic<Params>, x: Tensor): Outputs;
}

/** What the encoder says of a latent: a normal distribution for each element, `[batch, height / 8, width / 8, 4]`. */
export interface LatentDistribution {
  readonly mean: Tensor;
  /** In [−30, 20]. */
  readonly logVariance: Tensor;
}

/**
 * The encoder: float32 images `[batch, height, width, 3]` in [−1, 1] to latents' distributions.
 *
 * @throws {ArgumentError} when a field of `config` is out of range
 */
export function sdVaeEncoder(
  config: SdVaeConfig = {},
): SdVaeHalf<SdVaeEncoderParameters, LatentDistribution> {
  const full = checked(config);
  const { channels, latentChannels, imageChannels, groups } = full;
  const lowest = channels[channels.length - 1]!;
  const specs: Described<SdVaeEncoderParameters> = {
    input: conv2dParameters(imageChannels, channels[0]!, 3, 'pytorch'),
    levels: levelParameters(channels[0]!, channels, full.blocks),
    middle: middleParameters(lowest),
    norm: groupNormParameters(lowest),
    out: conv2dParameters(lowest, 2 * latentChannels, 3, 'pytorch'),
    quant: conv2dParameters(2 * latentChannels, 2 * latentChannels, 1, 'pytorch'),
  };
  const apply = (params: Symbolic<SdVaeEncoderParameters>, images: Tensor): LatentDistribution => {
    let x = conv2d(params.input, channelsFirst(images));
    for (const { blocks, resample } of params.levels) {
      x = blocks.reduce((y, block) => resnetBlock(block, y, { groups }), x);
      if (resample !== undefined) x = conv2d(resample, x, { stride: 2, padding: [0, 1] });
    }
    x = middle(params.middle, x, groups);
    const moments = conv2d(params.out, silu(scaledGroupNorm(params.norm, x, { groups })));
    const sizes = [latentChannels, latentChannels] as const;
    const [mean, logVariance] = split(channelsLast(conv2d(params.quant, moments)), sizes);
    return { mean, logVariance: clip(logVariance, -30, 20) };
  };
  return {
    config: full,
    specs,
    parameterCount: countParameters(specs),
    init: initialiser(specs),
    apply,
  };
}

/**
 * The decoder: float32 latents `[batch, height / 8, width / 8, 4]` as the encoder has them, not normalised, to images
 * `[batch, height, width, 3]`, in [−1, 1] but for some overshooting.
 *
 * @throws {ArgumentError} when a field of `config` is out of range
 */
export function sdVaeDecoder(config: SdVaeConfig = {}): SdVaeHalf<SdVaeDecoderParameters, Tensor> {
  const full = checked(config);
  const { channels, latentChannels, imageChannels, groups } = full;
  const upwards = [...channels].reverse();
  const specs: Described<SdVaeDecoderParameters> = {
    postQuant: conv2dParameters(latentChannels, latentChannels, 1, 'pytorch'),
    input: conv2dParameters(latentChannels, upwards[0]!, 3, 'pytorch'),
    middle: middleParameters(upwards[0]!),
    levels: levelParameters(upwards[0]!, upwards, full.blocks + 1),
    norm: groupNormParameters(channels[0]!),
    out: conv2dParameters(channels[0]!, imageChannels, 3, 'pytorch'),
  };
  const apply = (params: Symbolic<SdVaeDecoderParameters>, latents: Tensor): Tensor => {
    let x = conv2d(params.input, conv2d(params.postQuant, channelsFirst(latents)));
    x = middle(params.middle, x, groups);
    for (const { blocks, resample } of params.levels) {
      x = blocks.reduce((y, block) => resnetBlock(block, y, { groups }), x);
      if (resample !== undefined) x = conv2d(resample, doubled(x));
    }
    return channelsLast(conv2d(params.out, silu(scaledGroupNorm(params.norm, x, { groups }))));
  };
  return {
    config: full,
    specs,
    parameterCount: countParameters(specs),
    init: initialiser(specs),
    apply,
  };
}

function checked(config: SdVaeConfig): FullConfig {
  const full = validate(sdVaeSchema, config, 'The autoencoder');
  const uneven = full.channels.find((count) => count % full.groups !== 0);
  if (uneven !== undefined) {
    throw new ArgumentError(
      `groups divide the channels of every resolution, got ${full.groups} for ${uneven}.`,
    );
  }
  return full;
}

/** @param inputs channels before the first block */
function levelParameters(
  inputs: number,
  channels: readonly number[],
  blocks: number,
): Described<SdVaeLevelParameters>[] {
  return channels.map((outputs, level) => ({
    blocks: Array.from({ length: blocks }, (_, i) =>
      resnetBlockParameters(i > 0 ? outputs : level === 0 ? inputs : channels[level - 1]!, outputs),
    ),
    ...(level === channels.length - 1 ? {} : { resample: conv2dParameters(outputs, outputs, 3, 'pytorch') }),
  }));
}

function middleParameters(channels: number): Described<SdVaeMiddleParameters> {
  const map = () => linearParameters(channels, channels, 'pytorch');
  return {
    before: resnetBlockParameters(channels, channels),
    attention: { norm: groupNormParameters(channels), query: map(), key: map(), value: map(), out: map() },
    after: resnetBlockParameters(channels, channels),
  };
}

function middle(params: Symbolic<SdVaeMiddleParameters>, x: Tensor, groups: number): Tensor {
  const before = resnetBlock(params.before, x, { groups });
  const { norm, query, key, value, out } = params.attention;
  const places = channelsLast(scaledGroupNorm(norm, before, { groups }));
  const [q, k, v] = leading(
    [query, key, value].map((map) => channelsFirst(linear(map, places))),
    3,
  );
  const attended = channelsFirst(linear(out, channelsLast(imageAttention(q, k, v))));
  return resnetBlock(params.after, add(before, attended), { groups });
}

/** Every pixel four times: `[batch, channels, height, width] → [batch, channels, 2 · height, 2 · width]`. */
function doubled(x: Tensor): Tensor {
  const [batch, channels, height, width] = leading(x.shape, 4);
  const rows = batch * channels * height;
  const across = broadcastTo(reshape(x, [rows, 1, width, 1]), [rows, 2, width, 2]);
  return reshape(across, [batch, channels, 2 * height, 2 * width]);
}

function channelsFirst(x: Tensor): Tensor {
  return transpose(x, [0, 3, 1, 2]);
}

function channelsLast(x: Tensor): Tensor {
  return transpose(x, [0, 2, 3, 1]);
}
