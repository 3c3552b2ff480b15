/**
 * Resizing and the centre crop of image sets. A separable filter, widened when an image shrinks so that nothing is
 * skipped, first along rows, then along columns, with 8 bits in between: what Pillow's `resize` does, to which the
 * published recipes' images were cropped (Dhariwal and Nichol, "Diffusion models beat GANs on image synthesis", 2021:
 * halve by averaging while at least twice the size, then bicubic to the size of the shorter side, then the middle).
 */
import { type Pixels } from './pixels.js';

/** A filter's weight at a distance from its middle, and how far it reaches. */
interface Filter {
  readonly reach: number;
  readonly weight: (distance: number) => number;
}

/** The mean of what a pixel covers; half open, so that no neighbour is counted twice. */
const box: Filter = { reach: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) };

/** Keys' cubic convolution with a = −1/2 ("Cubic convolution interpolation for digital image processing", 1981). */
const bicubic: Filter = {
  reach: 2,
  weight: (at) => {
    const x = Math.abs(at);
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
  },
};

const filters = { box, bicubic } as const;

/** Resizes to whole positive sides. */
export function resize(image: Pixels, width: number, height: number, by: keyof typeof filters): Pixels {
  const rows = width === image.width ? image : resizeRows(image, width, filters[by]);
  return height === image.height ? rows : turned(resizeRows(turned(rows), height, filters[by]));
}

/** The middle of an image as a square of so many pixels, its shorter side filling it. */
export function centreCrop(image: Pixels, side: number): Pixels {
  let whole = image;
  while (Math.min(whole.width, whole.height) >= 2 * side) {
    whole = resize(whole, whole.width >> 1, whole.height >> 1, 'box');
  }
  const scale = side / Math.min(whole.width, whole.height);
  whole = resize(whole, roundHalfEven(whole.width * scale), roundHalfEven(whole.height * scale), 'bicubic');
  return crop(whole, (whole.width - side) >> 1, (whole.height - side) >> 1, side, side);
}

/** A part of an image, within it. */
function crop(
  { width: from, channels, data }: Pixels,
  left: number,
  top: number,
  width: number,
  height: number,
): Pixels {
  const part = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * from + left) * channels;
    part.set(data.subarray(start, start + width * channels), y * width * channels);
  }
  return { width, height, channels, data: part };
}

function resizeRows({ width: from, height, channels, data }: Pixels, to: number, filter: Filter): Pixels {
  const scale = from / to;
  const widening = Math.max(scale, 1);
  const reach = filter.reach * widening;
  const resized = new Uint8Array(to * height * channels);
  for (let x = 0; x < to; x++) {
    const middle = (x + 0.5) * scale;
    const first = Math.max(0, Math.floor(middle - reach + 0.5));
    const end = Math.min(from, Math.floor(middle + reach + 0.5));
    const weights = Float64Array.from({ length: end - first }, (_, i) =>
      filter.weight((first + i - middle + 0.5) / widening),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let y = 0; y < height; y++) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (
          let i = 0, at = (y * from + first) * channels + channel;
          i < weights.length;
          i++, at += channels
        ) {
          sum += weights[i] * data[at];
        }
        resized[(y * to + x) * channels + channel] = Math.max(
          0,
          Math.min(255, Math.floor(sum / total + 0.5)),
        );
      }
    }
  }
  return { width: to, height, channels, data: resized };
}

/** Rows and columns exchanged. */
function turned({ width, height, channels, data }: Pixels): Pixels {
  const result = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < channels; channel++) {
        result[(x * height + y) * channels + channel] = data[(y * width + x) * channels + channel];
      }
    }
  }
  return { width: height, height: width, channels, data: result };
}

/** As Python rounds. */
function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const isTie = value - below === 0.5;
  return isTie ? below + (below % 2) : Math.round(value);
}
