/**
 * Pictures in arrays: where their channels lie and what range their values have is told from shape and values, and what could
 * be either is asked for. As rows to learn from they become 8 bits.
 */
import { ArgumentError, DataError, type HostArray, type Shape } from '@meanflow/core';
import { formatShape, leading } from '@meanflow/core/validation';
import { imageRows, type ImageRows } from './image-rows.js';
import { stridesOf, type ImageLayout, type ImageShape } from './layout.js';

/** What values stand for black and white: `byte` 0 … 255, `unit` 0 … 1, `signed` −1 … 1. */
export type PictureRange = 'byte' | 'unit' | 'signed';

/** How pictures lie in an array. */
export interface PictureForm {
  readonly layout: ImageLayout;
  readonly range: PictureRange;
}

const limits: Readonly<Record<PictureRange, readonly [least: number, most: number]>> = {
  byte: [0, 255],
  unit: [0, 1],
  signed: [-1, 1],
};

/** The least and the largest value, and whether all are whole. */
export interface Extent {
  readonly least: number;
  readonly most: number;
  readonly areWhole: boolean;
}

export function extentOf({ data }: HostArray): Extent {
  let [least, most, areWhole] = [Infinity, -Infinity, true];
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    // A value that is not a number makes both so.
    if (!(value >= least)) least = Number.isNaN(least) ? least : value;
    if (!(value <= most)) most = Number.isNaN(most) ? most : value;
    areWhole &&= Number.isInteger(value);
  }
  return { least, most, areWhole };
}

/** The layout in which `[a, b, c]` has 1 or 3 channels; undefined where neither or both do. */
export function pictureLayoutOf([a, , c]: Shape): ImageLayout | undefined {
  const [first, last] = [a, c].map((length) => length === 1 || length === 3);
  return first === last ? undefined : first ? 'nchw' : 'nhwc';
}

/**
 * The range that pictures of such values have.
 *
 * @param isInteger whether the array's type is of whole numbers, so that 1 is no white
 * @returns undefined where the values are of no picture; `either` where 0 and 1 could be bytes or black and white
 */
export function pictureRangeOf(
  { least, most, areWhole }: Extent,
  isInteger: boolean,
): PictureRange | 'either' | undefined {
  if (!(least >= -1 && most <= 255)) return undefined;
  if (isInteger) return least < 0 ? undefined : most <= 1 ? 'either' : 'byte';
  if (least >= 0 && most <= 1) return 'unit';
  if (most <= 1) return 'signed';
  return least >= 0 && areWhole ? 'byte' : undefined;
}

/** @throws {ArgumentError} when values lie beyond the range that was asked for */
export function checkRange({ least, most }: Extent, range: PictureRange, source: string): void {
  const [low, high] = limits[range];
  if (least >= low && most <= high) return;
  throw new ArgumentError(
    `${source}: found values from ${least} to ${most}, which are not in the range ${range}, ${low} to ${high}.`,
  );
}

/**
 * Pictures as rows.
 *
 * @param array `[count, height, width, channels]` or, in `nchw`, `[count, channels, height, width]`
 * @param labels with their names; undefined where there are none
 */
export function arrayImages(
  array: HostArray,
  { layout, range }: PictureForm,
  labels: Pick<ImageRows, 'labels' | 'classNames'>,
): ImageRows {
  const [count] = leading(array.shape, 1);
  const imageShape = pictureShapeOf(array.shape, layout);
  const [height, width, channels] = imageShape;
  const from = stridesOf(imageShape, layout);
  const [low, high] = limits[range];
  const size = height * width * channels;
  const pixels = new Uint8Array(array.size);
  for (let row = 0, to = 0; row < count; row++) {
    for (let pixel = 0; pixel < height * width; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        const value = array.data[row * size + pixel * from.pixel + channel * from.channel]!;
        pixels[to++] = Math.round(((value - low) * 255) / (high - low));
      }
    }
  }
  return imageRows(pixels, { imageShape, ...labels });
}

/** Height, width and channels of the images of an array with four axes. */
export function pictureShapeOf(shape: Shape, layout: ImageLayout): ImageShape {
  const [, a, b, c] = leading(shape, 4);
  return layout === 'nhwc' ? [a, b, c] : [b, c, a];
}

/**
 * How samples that are to be judged lie: pictures, whatever else they could be.
 *
 * @param isInteger as `pictureRangeOf`
 * @throws {DataError} when they are no pictures, or could be read in two ways; the message names the option
 */
export function samplesForm(
  array: HostArray,
  isInteger: boolean,
  source: string,
  asked: { readonly layout?: ImageLayout | undefined; readonly range?: PictureRange | undefined } = {},
): PictureForm {
  const extent = extentOf(array);
  const described = `${source}: found ${array.dtype} ${formatShape(array.shape)} with values from ${extent.least} to ${extent.most}`;
  if (array.shape.length !== 4 || array.size === 0) {
    throw new DataError(`${described}, expected images [count, height, width, channels].`);
  }
  const layout = asked.layout ?? pictureLayoutOf(array.shape.slice(1));
  if (layout === undefined) {
    throw new DataError(
      `${described}, of which neither the first nor the last axis alone is of 1 or 3 channels: say where they are (--layout nchw or nhwc).`,
    );
  }
  const range = asked.range ?? pictureRangeOf(extent, isInteger);
  if (range === undefined || range === 'either') {
    throw new DataError(
      `${described}, expected ${range === 'either' ? 'more values than 0 and 1' : 'pictures of 0 … 255, 0 … 1 or −1 … 1'}: say what ` +
        'black and white are (--pixel-range byte, unit or signed).',
    );
  }
  checkRange(extent, range, source);
  return { layout, range };
}
