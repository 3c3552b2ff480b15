/**
 * Pixels: an image as files hold it, in 8 bits, row by row, the channels of a pixel together. Decoders make them, and
 * cropping and resizing work on them, before anything becomes a float.
 */

/** An image. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** 1: grey, 2: grey and alpha, 3: RGB, 4: RGB and alpha. */
  readonly channels: number;
  /** `[height, width, channels]` */
  readonly data: Uint8Array;
}

/** The most pixels that an image may have: what decoding takes in memory is a few times as many bytes. */
export const MOST_PIXELS = 50_000_000;

/** Luma of ITU-R 601, as image libraries turn colours into greys. */
const [RED, GREEN, BLUE] = [0.299, 0.587, 0.114];
const WHITE = 255;

/**
 * The image in so many channels: grey is repeated, colours become their luma, and what is transparent lies on white.
 *
 * @param channels 1 or 3
 */
export function withChannels(image: Pixels, channels: 1 | 3): Pixels {
  const { width, height, channels: given, data } = image;
  if (given === channels) return image;
  const hasAlpha = given === 2 || given === 4;
  const isGrey = given < 3;
  const converted = new Uint8Array(width * height * channels);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const from = pixel * given;
    const alpha = hasAlpha ? data[from + given - 1] / 255 : 1;
    const on = (value: number): number => WHITE + (value - WHITE) * alpha;
    const [red, green, blue] = [0, 1, 2].map((channel) => on(data[from + (isGrey ? 0 : channel)]));
    if (channels === 1) converted[pixel] = Math.round(isGrey ? red : RED * red + GREEN * green + BLUE * blue);
    else {
      converted[3 * pixel] = Math.round(red);
      converted[3 * pixel + 1] = Math.round(green);
      converted[3 * pixel + 2] = Math.round(blue);
    }
  }
  return { width, height, channels, data: converted };
}
