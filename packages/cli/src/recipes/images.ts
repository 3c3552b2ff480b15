/**
 * The recipe for images and latents that are given by path: a small DiT whose patches are such that an image is about 64 tokens,
 * conditional on the class where there are classes. The published recipes are another matter: `published.ts`.
 */
import { sizeOf } from '@meanflow/core';
import type { Dataset } from '@meanflow/data';
import type { Recipe } from '../config/schema.js';
import { imageMethods, shapesRecipe } from './shapes.js';

/** Tokens along a side. */
const TOKENS = 8;
/** Features from which the covariance of raw pixels is too large to be measured by. */
const MANY_FEATURES = 1024;
/** Bytes of the samples that are judged, and of the data that they are judged by, each. */
const JUDGED_BYTES = 2 ** 27;

/** The recipe of data whose samples are `[height, width, channels]` or `[channels, height, width]`. */
export function imagesRecipe({
  featureShape,
  classCount,
}: Pick<Dataset, 'featureShape' | 'classCount'>): Recipe {
  const size = sizeOf(featureShape);
  // Channels are few, whichever axis they are.
  const [height, width] = [...featureShape].sort((a, b) => b - a);
  const samples = Math.floor(JUDGED_BYTES / (4 * size));
  return {
    ...shapesRecipe,
    conditional: classCount !== undefined,
    methods: imageMethods,
    steps: 20_000,
    network: { ...shapesRecipe.network, patchSize: patchSizeFor(height, width) } as Recipe['network'],
    evaluation: {
      samples: Math.min(5000, Math.max(100, samples)),
      metrics: [size < MANY_FEATURES ? 'frechet' : 'sliced-wasserstein-2'],
    },
  };
}

/** The divisor of both sides that comes nearest to the wanted number of tokens. */
function patchSizeFor(height: number, width: number): number {
  const wanted = Math.sqrt(height * width) / TOKENS;
  const divisors = Array.from({ length: width }, (_, i) => i + 1).filter(
    (side) => height % side === 0 && width % side === 0,
  );
  return divisors.reduce((best, side) =>
    Math.abs(Math.log(side / wanted)) < Math.abs(Math.log(best / wanted)) ? side : best,
  );
}
