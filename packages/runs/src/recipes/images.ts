/**
 * The recipe for images and latents that are given by path: a small DiT whose patches are such that an image is about 64 tokens,
 * conditional on the class where there are classes. The published recipes are another matter: `published.ts`.
 */
import { sizeOf, type Shape } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
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
  const [height, width] = leading(
    [...featureShape].sort((a, b) => b - a),
    2,
  );
  const samples = Math.floor(JUDGED_BYTES / (4 * size));
  const shapes = shapesRecipe();
  return {
    ...shapes,
    conditional: classCount !== undefined,
    methods: imageMethods(),
    steps: 20_000,
    network: { ...shapes.network, patchSize: patchSizeFor(height, width) },
    evaluation: {
      samples: Math.min(5000, Math.max(100, samples)),
      metrics: [size < MANY_FEATURES ? 'frechet' : 'sliced-wasserstein-2'],
    },
  };
}

/** A divisor that makes more tokens than so many times those that are wanted is not taken: networks pad images for patches. */
const MOST_TOKENS = 2;

/** The divisor of both sides that comes nearest to the wanted number of tokens, or, where none is near, a side that covers them. */
function patchSizeFor(height: number, width: number): number {
  const wanted = Math.sqrt(height * width) / TOKENS;
  const distance = (side: number): number => Math.abs(Math.log(side / wanted));
  const best = Array.from({ length: width }, (_, i) => i + 1)
    .filter((side) => height % side === 0 && width % side === 0)
    .reduce((nearest, side) => (distance(side) < distance(nearest) ? side : nearest));
  // Tokens are as many as the inverse square of the side.
  return 2 * distance(best) <= Math.log(MOST_TOKENS) || wanted <= 1 ? best : Math.round(wanted);
}

/** What is said of images that patches do not divide; undefined of others. */
export function paddingText(featureShape: Shape, network: object): string | undefined {
  const size = 'patchSize' in network ? Number(network.patchSize) : 1;
  const [height = 0, width = 0] = featureShape;
  if (featureShape.length !== 3 || (height % size === 0 && width % size === 0)) return undefined;
  const [rows, columns] = [Math.ceil(height / size), Math.ceil(width / size)];
  return (
    `Inside the network, images of ${height} × ${width} are made ${rows * size} × ${columns * size} by zeros, for ${rows * columns} patches of ` +
    `${size} × ${size}; a size that has other divisors (--image-size), or network.patchSize, would not need it.`
  );
}
