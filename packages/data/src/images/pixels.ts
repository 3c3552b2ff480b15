/**
 * Pixels: an image as files hold it, in 8 bits, row by row, the channels of a pixel together. Decoders make them, and
 * cropping and resizing work on them, before anything becomes a float.
 */
import { UnreadableImage } from './unreadable-image.js';

/** An image. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** 1: grey, 2: grey and alpha, 3: RGB, 4: RGB and alpha. */
  readonly channels: number;
  /** `[height, width, channels]` */
  readonly data: Uint8Array;
}

/** Bytes that an image may take by default, as its header says: a photograph of 89 million pixels in three channels. */
export const MAX_IMAGE_BYTES = 2 ** 28;

/** An image as its header describes it. */
export interface ImageHeader {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** Of a sample: 1 or 2. */
  readonly bytes: number;
}

/**
 * Before anything is decoded.
 *
 * @throws {UnreadableImage} when the header is of no image, or of one that takes more than `maxBytes`
 */
export function checkSize(
  { width, height, channels, bytes }: ImageHeader,
  source: string,
  maxBytes: number,
): void {
  const taken = width * height * channels * bytes;
  if (!(width >= 1 && height >= 1) || !(taken <= maxBytes)) {
    throw new UnreadableImage(
      source,
      `the image says that it has ${width} by ${height} pixels of ${channels} channels, ${taken} bytes, expected 1 to ` +
        `${maxBytes} (maxImageBytes; on the command line --max-image-bytes)`,
    );
  }
}

/** Luma of ITU-R 601, as image libraries turn colours into greys. */
const [RED, GREEN, BLUE] = [0.299, 0.587, 0.114];
const WHITE = 255;

/**
 * The image in so many channels: grey is repeated, colours become their luma, and what is transparent lies on white. To be
 * called before pixels are averaged: the colour of a transparent pixel means nothing.
 *
 * @param channels 1 or 3
 */
export function withChannels(image: Pixels, channels: 1 | 3): Pixels {
  const { width, height, channels: given, data } = image;
  if (given === channels) return image;
  const hasAlpha = given === 2 || given === 4;
  const isGrey = given < 3;
  const converted = new Uint8Array(width * height * channels);
  for (let pixel = 0, from = 0, to = 0; pixel < width * height; pixel++, from += given) {
    const alpha = hasAlpha ? data[from + given - 1]! / 255 : 1;
    const red = over(data[from]!, alpha);
    const green = isGrey ? red : over(data[from + 1]!, alpha);
    const blue = isGrey ? red : over(data[from + 2]!, alpha);
    if (channels === 1) converted[to++] = Math.round(isGrey ? red : RED * red + GREEN * green + BLUE * blue);
    else {
      converted[to++] = Math.round(red);
      converted[to++] = Math.round(green);
      converted[to++] = Math.round(blue);
    }
  }
  return { width, height, channels, data: converted };
}

/** A value over white. */
function over(value: number, alpha: number): number {
  return WHITE + (value - WHITE) * alpha;
}
