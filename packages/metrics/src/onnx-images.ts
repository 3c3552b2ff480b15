/**
 * Images as a model in an ONNX file takes them: from float32 in [−1, 1], as networks make them, to the model's size,
 * layout and range. They pass through 8 bits on the way, because the published reference statistics are of files in
 * 8 bits; as there, a value becomes ⌊127.5·x + 128⌋ within 0 … 255.
 */
import type { ImageLayout } from './onnx-options.js';

/** Where a pixel's channel lies: image after image, in a layout. */
interface Grid {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly layout: ImageLayout;
}

/** What a value of 0 … 255 becomes, channel by channel: (value / 255 − mean) / deviation. */
export interface PixelScale {
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

/** Numbers in one image. */
export function gridSize({ height, width, channels }: Grid): number {
  return height * width * channels;
}

/**
 * Turns images into a model's input.
 *
 * @param images `[count, ...image]` in the source's layout
 * @param into receives `count` images in the target's; one-channel images are repeated for a model of three
 * @param scale undefined: bytes as they are
 */
export function writeImages(
  images: ArrayLike<number>,
  source: Grid,
  target: Grid,
  scale: PixelScale | undefined,
  into: { [index: number]: number; readonly length: number },
): void {
  const count = images.length / gridSize(source);
  const plane = new Float64Array(source.height * source.width);
  const [rows, columns] = [taps(source.height, target.height), taps(source.width, target.width)];
  for (let image = 0; image < count; image++) {
    for (let channel = 0; channel < target.channels; channel++) {
      readPlane(images, source, image, Math.min(channel, source.channels - 1), plane);
      for (let y = 0; y < target.height; y++) {
        for (let x = 0; x < target.width; x++) {
          const value = bilinear(plane, source.width, rows[y]!, columns[x]!);
          into[indexOf(target, image, channel, y, x)] =
            scale === undefined
              ? Math.round(value)
              : (value / 255 - scale.mean[channel]!) / scale.deviation[channel]!;
        }
      }
    }
  }
}

/** The two neighbours that a place of the target lies between, and how near it is to the second. */
interface Tap {
  readonly low: number;
  readonly high: number;
  readonly share: number;
}

/** Half-pixel centres, no widening when shrinking: PyTorch's bilinear `interpolate` with align_corners off. */
function taps(from: number, to: number): readonly Tap[] {
  return Array.from({ length: to }, (_, i) => {
    const at = Math.max(0, ((i + 0.5) * from) / to - 0.5);
    const low = Math.min(from - 1, Math.floor(at));
    return { low, high: Math.min(from - 1, low + 1), share: at - low };
  });
}

function bilinear(plane: Float64Array, width: number, row: Tap, column: Tap): number {
  const [top, bottom] = [row.low * width, row.high * width];
  const upper = plane[top + column.low]! * (1 - column.share) + plane[top + column.high]! * column.share;
  const lower =
    plane[bottom + column.low]! * (1 - column.share) + plane[bottom + column.high]! * column.share;
  return upper * (1 - row.share) + lower * row.share;
}

/** One channel of an image in 8 bits. */
function readPlane(
  images: ArrayLike<number>,
  grid: Grid,
  image: number,
  channel: number,
  plane: Float64Array,
): void {
  for (let y = 0, at = 0; y < grid.height; y++) {
    for (let x = 0; x < grid.width; x++, at++) {
      const value = images[indexOf(grid, image, channel, y, x)]!;
      plane[at] = Math.max(0, Math.min(255, Math.floor(127.5 * value + 128)));
    }
  }
}

function indexOf(grid: Grid, image: number, channel: number, y: number, x: number): number {
  const { height, width, channels, layout } = grid;
  return layout === 'nhwc'
    ? ((image * height + y) * width + x) * channels + channel
    : ((image * channels + channel) * height + y) * width + x;
}
