/**
 * Latents of the Stable-Diffusion autoencoder as the published models see them, and pixels from what its decoder makes. A
 * normalised latent is (latent − mean) / std, for each channel.
 */
import {
  add,
  cast,
  clip,
  constant,
  div,
  floor,
  mul,
  sub,
  exp,
  type Symbolic,
  type Tensor,
} from '@meanflow/core';
import type { ParameterTree, SampleDecoder } from '@meanflow/samplers';
import type { LatentDistribution, SdVaeDecoderParameters, SdVaeHalf } from './sd-vae.js';

/** Mean and standard deviation of each channel, or of all. Plain JSON. */
export interface LatentNormalisation {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** How each paper normalises latents. */
export const latentNormalisations = {
  /** Multiplied by 0.18215 (arXiv 2505.13447; the constant of latent diffusion). */
  meanflow: { mean: [0], std: [1 / 0.18215] },
  /** Mean and standard deviation of the latents of ImageNet, by channel (arXiv 2512.02012, reference code). */
  'improved-meanflow': {
    mean: [0.86488, -0.27787343, 0.21616915, 0.3738409],
    std: [4.85503674, 5.31922414, 3.93725398, 3.9870003],
  },
} as const satisfies Readonly<Record<string, LatentNormalisation>>;

/** What a network is trained on, from the autoencoder's latents; channels last. */
export function normaliseLatents(latents: Tensor, { mean, std }: LatentNormalisation): Tensor {
  return div(sub(latents, constant([...mean])), constant([...std]));
}

/** The autoencoder's latents, from what a network made; channels last. */
export function denormaliseLatents(normalised: Tensor, { mean, std }: LatentNormalisation): Tensor {
  return add(mul(normalised, constant([...std])), constant([...mean]));
}

/** A latent drawn from the encoder's distribution: mean + √variance · noise. @param noise standard normal */
export function sampleLatents({ mean, logVariance }: LatentDistribution, noise: Tensor): Tensor {
  return add(mean, mul(exp(mul(0.5, logVariance)), noise));
}

/**
 * From what a network made to images: the normalisation undone, then the autoencoder's decoder.
 *
 * @param params the parameters of `decoder`
 * @returns what takes float32 `[rows, height, width, channels]` to images in [−1, 1], as the decoder does
 */
export function latentDecoder(
  decoder: SdVaeHalf<SdVaeDecoderParameters, Tensor>,
  params: ParameterTree,
  normalisation: LatentNormalisation,
): SampleDecoder & { readonly params: ParameterTree } {
  return {
    params,
    // The tree is that of `params`, which the type of a decoder of any kind forgets.
    apply: (given, samples) =>
      decoder.apply(
        given as unknown as Symbolic<SdVaeDecoderParameters>,
        denormaliseLatents(samples, normalisation),
      ),
  };
}

/** Pixels 0 … 255, int32, from images in [−1, 1]: ⌊127.5 x + 128⌋ within the range, as the published code has it. */
export function toPixels(images: Tensor): Tensor {
  return cast(floor(clip(add(mul(127.5, images), 128), 0, 255)), 'int32');
}
