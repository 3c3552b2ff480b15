/**
 * How imported models are sampled where nothing else is asked for: as their authors evaluated them. Published networks
 * were trained on images in [−1, 1] or on normalised latents of the Stable-Diffusion autoencoder; which of the two, and how
 * latents were normalised, follows from the network.
 */
import type { ModelFacts } from '@meanflow/checkpoints';
import { sizeOf } from '@meanflow/core';
import { noNormalisation, pictureShapeOf, rangeNormalisation, type Normalisation } from '@meanflow/data';
import {
  improvedMeanFlowEvaluation,
  latentNormalisations,
  networks,
  type AnyNetwork,
  type LatentNormalisation,
} from '@meanflow/models';
import { pixelMeanFlowRecipes } from '@meanflow/models/published';
import type { GuidanceCondition } from '@meanflow/samplers';
import type { SamplingSettings } from '../config/schema.js';
import type { DataFacts, Generator } from './model.js';

type Guidance = NonNullable<SamplingSettings['guidance']>;

/** Channels of the autoencoder's latents. */
const LATENT_CHANNELS = 4;

/** What the samples of a published network are; its classes have numbers. */
export function publishedData(
  { name }: ModelFacts,
  { featureShape, classCount, config }: AnyNetwork,
): DataFacts {
  const [height, width, channels] = pictureShapeOf([1, ...featureShape], networks.get(config.kind).layout);
  const isImage = channels === 3 || channels === 1;
  return {
    name: name ?? config.kind,
    columns: [],
    featureShape,
    imageShape: isImage ? [height, width, channels] : undefined,
    classNames:
      classCount === undefined ? undefined : Array.from({ length: classCount }, (_, i) => String(i)),
    normalisation: isImage ? rangeNormalisation(1, 0, 255) : latentsOf(config, channels),
  };
}

/** The constants that a network's latents were normalised with; none where nobody published any. */
function latentsOf({ kind, featureShape }: AnyNetwork['config'], channels: number): Normalisation {
  const known: Readonly<Record<string, LatentNormalisation>> = {
    dit: latentNormalisations.meanflow,
    'imf-dit': latentNormalisations['improved-meanflow'],
  };
  if (channels !== LATENT_CHANNELS || !Object.hasOwn(known, kind))
    return noNormalisation(sizeOf(featureShape));
  const { mean, std } = known[kind]!;
  return { kind: 'standard', mean: [...mean], scale: [...std] };
}

/** The guidance that a published model was evaluated with: at one step, and by the number of steps where it differs. */
export function publishedSampling(
  { name = '' }: ModelFacts,
  { takesGuidance }: AnyNetwork,
): Pick<Generator, 'sampling' | 'guidanceAt'> {
  const [, family, size, patch] = /^(imf|pmf)-dit-(\w+)-(\d+)(?:-train)?$/.exec(name) ?? [];
  const variant = `${String(size).toUpperCase()}/${patch}`;
  const improved: Readonly<Record<string, GuidanceCondition>> = improvedMeanFlowEvaluation;
  const pixel: Readonly<Record<string, { readonly evaluation?: GuidanceCondition }>> = pixelMeanFlowRecipes;
  const one = !takesGuidance ? undefined : family === 'imf' ? improved[variant] : family === 'pmf' ? pixel[variant]?.evaluation : undefined; // prettier-ignore
  const two = takesGuidance && family === 'imf' ? improved[`${variant}, two steps`] : undefined;
  return {
    sampling: {
      solver: 'average-velocity',
      nfe: [1, 2],
      ema: null,
      ...(one === undefined ? {} : { guidance: guidanceOf(one) }),
    },
    ...(two === undefined ? {} : { guidanceAt: { 2: guidanceOf(two) } }),
  };
}

function guidanceOf({ omega, tMin = 0, tMax = 1 }: GuidanceCondition): Guidance {
  return { scale: omega, start: tMin, end: tMax };
}
