/**
 * The array of a file as a Dataset: of latents, or of pictures where its values leave no doubt that they are. Which was
 * taken is said; what could be either is asked for.
 */
import { ArgumentError, DataError, type HostArray } from '@meanflow/core';
import { formatShape } from '@meanflow/core/validation';
import { type Dataset } from '../dataset.js';
import {
  arrayImages,
  checkRange,
  extentOf,
  pictureLayoutOf,
  pictureRangeOf,
  type PictureForm,
  type PictureRange,
} from '../images/array-images.js';
import { type AugmentationOptions } from '../images/augmentation.js';
import { imageDataset } from '../images/image-dataset.js';
import { arrayLabels } from './array-labels.js';
import { latentDataset, type LatentArrays, type LatentOptions } from './latent-dataset.js';

/** What the values of an array are. */
export type ArrayMeaning = 'latents' | 'pictures';

export interface ArrayOptions extends LatentOptions, AugmentationOptions {
  /** Told from shape and values by default. */
  readonly readAs?: ArrayMeaning;
  /** Of pictures; told from the values by default. */
  readonly range?: PictureRange;
}

export interface FileArrays extends LatentArrays {
  /** Whether the file's type is of whole numbers. */
  readonly isInteger: boolean;
}

/** @throws {DataError | ArgumentError} as `latentDataset` and `imageDataset`, and where it could be read in two ways */
export function arrayDataset(
  arrays: FileArrays,
  name: string,
  options: ArrayOptions,
  source: string,
): Dataset {
  const pictures = picturesIn(arrays, options, source);
  if (pictures === undefined) {
    const { flip, cropPadding } = options;
    if (flip === true || (cropPadding ?? 0) > 0) {
      throw new ArgumentError(`${source}: flips and crops are for pictures, and these are latents.`);
    }
    return latentDataset(arrays, name, options, source);
  }
  const { scale, form } = options;
  if (scale !== undefined || form !== undefined) {
    throw new ArgumentError(
      `${source}: ${scale === undefined ? 'form' : 'scale'} is for latents, and these look like pictures: say that they are none ` +
        '(readAs: latents; on the command line --read-as), or train without.',
    );
  }
  const { array, form: found } = pictures;
  const classes = arrays.labels && arrayLabels(arrays.labels, array.shape[0]!, options, source);
  const rows = arrayImages(array, found, { labels: classes?.labels, classNames: classes?.classNames });
  const { classCount, labelMeaning = classCount === undefined ? 'distinct' : 'numbers' } = options;
  const dataset = imageDataset(rows, undefined, {
    ...options,
    name,
    notes: [
      `pictures, channels ${found.layout === 'nchw' ? 'first' : 'last'}, ${rangeTexts[found.range]} (--read-as, --layout, --pixel-range)`,
      ...(classes?.notes ?? []),
    ],
  });
  return {
    ...dataset,
    reading: { readAs: 'pictures', from: found.layout, range: found.range, labelMeaning },
  };
}

const rangeTexts: Readonly<Record<PictureRange, string>> = {
  byte: '0 to 255',
  unit: '0 to 1',
  signed: '−1 to 1',
};

/** Greys without an axis of channels get one. */
function withChannelAxis(array: HostArray): HostArray {
  return array.shape.length === 3 ? array.reshape([...array.shape, 1]) : array;
}

function picturesIn(
  { latents, isInteger }: FileArrays,
  options: ArrayOptions,
  source: string,
): { readonly array: HostArray; readonly form: PictureForm } | undefined {
  const { readAs, range: askedRange, from } = options;
  if (readAs === 'latents') return undefined;
  const array = withChannelAxis(latents);
  const found = `${source}: found ${isInteger ? 'whole numbers' : latents.dtype} ${formatShape(latents.shape)}`;
  const layout = from ?? (array === latents ? pictureLayoutOf(array.shape.slice(1)) : 'nhwc');
  const hasFourAxes = array.shape.length === 4 && array.size > 0;
  const channels = layout === undefined ? 0 : array.shape[layout === 'nhwc' ? 3 : 1];
  const isPictureShape = hasFourAxes && (channels === 1 || channels === 3);
  if (!isPictureShape) {
    if (readAs === 'pictures') {
      throw new DataError(
        `${found}, expected pictures [count, height, width, 1 or 3] or with the channels first (from; on the command line --layout).`,
      );
    }
    if (!isInteger || !hasFourAxes) return undefined;
    throw new DataError(
      `${found}, which are neither pictures of 1 or 3 channels nor floats as latents are: say what they are (readAs: latents or ` +
        'pictures, from: nchw or nhwc; on the command line --read-as, --layout).',
    );
  }
  const extent = extentOf(array);
  const told = pictureRangeOf(extent, isInteger);
  // Latents of three channels may happen to be small; pictures reach from black to white.
  const isSure = told === 'signed' ? extent.least < -0.5 && extent.most > 0.5 : told !== undefined;
  if (askedRange === undefined && readAs === undefined && !isSure && !isInteger) return undefined;
  const range = askedRange ?? told;
  if (range === undefined || range === 'either') {
    throw new DataError(
      `${found} from ${extent.least} to ${extent.most}, expected pictures of 0 … 255, 0 … 1 or −1 … 1: say what they are (readAs: ` +
        'latents, or range: byte, unit or signed; on the command line --read-as, --pixel-range).',
    );
  }
  checkRange(extent, range, source);
  return { array, form: { layout: layout ?? 'nhwc', range } };
}
