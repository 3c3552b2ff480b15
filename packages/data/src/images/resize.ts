/**
 * Resizing and the centre crop of image sets. A separable filter, widened when an image shrinks so that nothing is
 * skipped, first along rows, then along columns, with 8 bits in between: what Pillow's `resize` does, to which the
 * published recipes' images were cropped (Dhariwal and Nichol, "Diffusion models beat GANs on image synthesis", 2021:
 * halve by averaging while at least twice the size, then bicubic to the size of the shorter side, then the middle).
 * libvips's own kernels differ from Pillow's by up to 12 of 255 when shrinking and by more than 100 when enlarging noise.
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

/** Linear between neighbours. */
const bilinear: Filter = { reach: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) };

/** sinc windowed by the middle lobe of a sinc three times as wide (Duchon, "Lanczos filtering in one and two dimensions", 1979). */
const lanczos: Filter = { reach: 3, weight: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0) };

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

const filters = { box, bilinear, bicubic, lanczos } as const;

/** The name of a filter, as Pillow calls it. */
export type ResizeFilter = keyof typeof filters;

/** A part of an image. */
interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Resizes to whole positive sides. Transparent images are put on a background first: `withChannels`. */
export function resize(image: Pixels, width: number, height: number, by: ResizeFilter): Pixels {
  return resizeWithin(image, width, height, by, { left: 0, top: 0, width, height });
}

/** The middle of an image as a square of so many pixels, its shorter side filling it. */
export function centreCrop(image: Pixels, side: number): Pixels {
  let whole = image;
  while (Math.min(whole.width, whole.height) >= 2 * side) {
    whole = resize(whole, whole.width >> 1, whole.height >> 1, 'box');
  }
  const scale = side / Math.min(whole.width, whole.height);
  const [width, height] = [roundHalfEven(whole.width * scale), roundHalfEven(whole.height * scale)];
  const middle = { left: (width - side) >> 1, top: (height - side) >> 1, width: side, height: side };
  return resizeWithin(whole, width, height, 'bicubic', middle);
}

/** A part of the image that resizing to `width` and `height` would make; no more than it needs is computed. */
function resizeWithin(image: Pixels, width: number, height: number, by: ResizeFilter, part: Window): Pixels {
  const filter = filters[by];
  const rows = tapsOf(image.height, height, part.top, part.height, filter);
  const [first, last] = [rows[0]!, rows.at(-1)!];
  const needed = { from: first.from, end: last.from + last.weights.length };
  const columns = tapsOf(image.width, width, part.left, part.width, filter);
  return acrossColumns(alongRows(image, columns, needed.from, needed.end), rows, needed.from);
}

/** Weights are whole numbers of this, as Pillow's are: what is half-way between two bytes is rounded as there. */
const ONE = 2 ** 22;

/** What a pixel of the result is made of: so many neighbours from one on, by weights that sum to about `ONE`. */
interface Taps {
  readonly from: number;
  readonly weights: Float64Array;
}

/** A side that keeps its length is left as it is. */
function tapsOf(from: number, to: number, start: number, count: number, filter: Filter): readonly Taps[] {
  const scale = from / to;
  const widening = Math.max(scale, 1);
  const reach = filter.reach * widening;
  return Array.from({ length: count }, (_, i) => {
    if (from === to) return { from: start + i, weights: Float64Array.of(ONE) };
    const middle = (start + i + 0.5) * scale;
    const first = Math.max(0, Math.floor(middle - reach + 0.5));
    const end = Math.min(from, Math.floor(middle + reach + 0.5));
    const weights = Float64Array.from({ length: end - first }, (_, tap) =>
      filter.weight((first + tap - middle + 0.5) / widening),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { from: first, weights: weights.map((weight) => roundFromZero((weight / total) * ONE)) };
  });
}

/** Rows `from` to `end`, each with as many pixels as there are taps. */
function alongRows(
  { width, channels, data }: Pixels,
  taps: readonly Taps[],
  from: number,
  end: number,
): Pixels {
  const resized = new Uint8Array((end - from) * taps.length * channels);
  for (let y = from, to = 0; y < end; y++) {
    for (const { from: first, weights } of taps) {
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        let at = (y * width + first) * channels + channel;
        for (let tap = 0; tap < weights.length; tap++, at += channels) sum += weights[tap]! * data[at]!;
        resized[to++] = toByte(sum);
      }
    }
  }
  return { width: taps.length, height: end - from, channels, data: resized };
}

/** A row for each of the taps, of an image whose first row is the row `offset` that taps speak of. */
function acrossColumns({ width, channels, data }: Pixels, taps: readonly Taps[], offset: number): Pixels {
  const stride = width * channels;
  const resized = new Uint8Array(taps.length * stride);
  taps.forEach(({ from, weights }, y) => {
    for (let x = 0; x < stride; x++) {
      let sum = 0;
      let at = (from - offset) * stride + x;
      for (let tap = 0; tap < weights.length; tap++, at += stride) sum += weights[tap]! * data[at]!;
      resized[y * stride + x] = toByte(sum);
    }
  });
  return { width, height: taps.length, channels, data: resized };
}

function toByte(sum: number): number {
  return Math.max(0, Math.min(255, Math.floor((sum + ONE / 2) / ONE)));
}

function roundFromZero(value: number): number {
  return Math.trunc(value + 0.5 * Math.sign(value));
}

/** As Python rounds. */
function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const isTie = value - below === 0.5;
  return isTie ? below + (below % 2) : Math.round(value);
}
