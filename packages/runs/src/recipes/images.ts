/**
 * The recipe for images and latents that are given by path, conditional on the class where there are classes: a small U-Net for small
 * pictures, and for larger ones, and for latents, a small DiT whose patches are such that an image is about 64 tokens. The published
 * recipes are another matter: `published.ts`.
 */
import { sizeOf, type Shape } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import type { Dataset } from '@meanflow/data';
import type { Recipe } from '../config/schema.js';
import { imageMethods, resolutionsOf, shapesRecipe } from './shapes.js';

/** Images whose longer side has at most so many pixels are the U-Net's: its time grows with the pixels. */
const U_NET_SIDE = 40;
/** More channels are those of latents, whose neighbours say less of one another. */
const PICTURE_CHANNELS = 4;
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
    network: networkFor(featureShape, height, width),
    evaluation: {
      samples: Math.min(5000, Math.max(100, samples)),
      metrics: [size < MANY_FEATURES ? 'frechet' : 'sliced-wasserstein-2'],
    },
  };
}

function networkFor(featureShape: Shape, height: number, width: number): Recipe['network'] {
  const channels = sizeOf(featureShape) / (height * width);
  if (height <= U_NET_SIDE && channels < PICTURE_CHANNELS)
    return { kind: 'unet', ...resolutionsOf(height, width) };
  const patchSize = patchSizeFor(height, width);
  return { kind: 'dit', patchSize, width: 128, depth: 4, heads: 4, times: 't-and-h' };
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

/** What is said of images that the network makes larger inside; undefined of others. */
export function paddingText(featureShape: Shape, network: object): string | undefined {
  const { part, made, instead } = partsOf(network);
  const [height = 0, width = 0] = featureShape;
  if (featureShape.length !== 3 || (height % part === 0 && width % part === 0)) return undefined;
  const [rows, columns] = [Math.ceil(height / part), Math.ceil(width / part)];
  return (
    `Inside the network, images of ${height} × ${width} are made ${rows * part} × ${columns * part} by zeros, ${made(rows, columns)}; ` +
    `a size that has other divisors (--image-size), or ${instead}, would not need it.`
  );
}

/** Of what images have to be made of, in pixels along either side, and why. */
function partsOf(network: object): {
  part: number;
  made: (rows: number, columns: number) => string;
  instead: string;
} {
  if ('channelMultipliers' in network && 'kind' in network && network.kind === 'unet') {
    const halvings = (network.channelMultipliers as readonly number[]).length - 1;
    return {
      part: 2 ** halvings,
      made: () => `to be halved ${halvings} ${halvings === 1 ? 'time' : 'times'}`,
      instead: 'fewer network.channelMultipliers',
    };
  }
  const size = 'patchSize' in network ? Number(network.patchSize) : 1;
  return {
    part: size,
    made: (rows, columns) => `for ${rows * columns} patches of ${size} × ${size}`,
    instead: 'network.patchSize',
  };
}
