/**
 * Grids of small images as PNG, enlarged by whole numbers with hard pixel edges, so that an 8×8 digit looks like what it is.
 * Images come as the network made them, in [−1, 1]; ink is dark on white, and the report inverts it for dark themes.
 */
import { ArgumentError, formatShape, sizeOf, type HostArray, type Shape } from '@meanflow/core';
import { lightPalette, rgb } from './palette.js';
import { Raster, type Rgb } from './raster.js';

export interface ImageGridOptions {
  /** `[height, width, channels]` with 1 or 3 channels. */
  readonly imageShape: Shape;
  /** Images in a row of the grid. */
  readonly across: number;
  /** Side of one pixel of an image, in pixels of the picture. 4 by default. */
  readonly scale?: number;
}

/** Space between images, in pixels of an image. */
const GAP = 1;

/**
 * A PNG of images row by row.
 *
 * @param images `[count, height · width · channels]` or `[count, height, width, channels]`, in [−1, 1]; values beyond are cut
 * @throws {ArgumentError} when the images are not of that shape
 */
export function imageGridPng(
  images: HostArray,
  { imageShape, across, scale = 4 }: ImageGridOptions,
): Uint8Array {
  const [height, width, channels] = imageShape;
  const size = sizeOf(imageShape);
  const count = images.shape[0];
  if (imageShape.length !== 3 || ![1, 3].includes(channels) || images.size !== count * size || count < 1) {
    throw new ArgumentError(
      `An image grid takes [count, ${size}] images of shape [height, width, 1 or 3], got ${images} of shape ` +
        `${formatShape(imageShape)}.`,
    );
  }
  const gap = GAP * scale;
  const pitch = { x: width * scale + gap, y: height * scale + gap };
  const down = Math.ceil(count / across);
  const canvas = new Raster(across * pitch.x + gap, down * pitch.y + gap, rgb(lightPalette.surface));
  for (let image = 0; image < count; image++) {
    const left = gap + (image % across) * pitch.x;
    const top = gap + Math.floor(image / across) * pitch.y;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at = image * size + (y * width + x) * channels;
        const colour = channels === 1 ? inkOf(images.data[at]) : colourOf(images.data.subarray(at, at + 3));
        canvas.rectangle(left + x * scale, top + y * scale, scale, scale, colour);
      }
    }
  }
  return canvas.png();
}

/** −1 (paper) to 1 (ink), as a shade between white and the ink of the palette. */
function inkOf(value: number): Rgb {
  const share = (clip(value) + 1) / 2;
  const ink = rgb(lightPalette.ink);
  const [red, green, blue] = rgb(lightPalette.surface).map((paper, i) =>
    Math.round(paper + (ink[i] - paper) * share),
  );
  return [red, green, blue];
}

/** Three values in [−1, 1] as red, green and blue. */
function colourOf(values: ArrayLike<number>): Rgb {
  const [red, green, blue] = Array.from(values, (value) => Math.round((clip(value) + 1) * 127.5));
  return [red, green, blue];
}

function clip(value: number): number {
  return Math.max(-1, Math.min(1, value));
}
