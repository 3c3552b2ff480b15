/**
 * Sheets of images as PNG: grids, and strips of one row for each number of evaluations or each class. Pixels are enlarged
 * by whole numbers with hard edges, so that a small image looks like what it is; rows may have a label.
 */
import { ArgumentError, sizeOf, type HostArray, type Shape } from '@meanflow/core';
import { formatShape, leading } from '@meanflow/core/validation';
import { encode } from 'fast-png';
import { dotsOf, GLYPH, widthOf } from './font.js';
import { byteOf } from './image-bytes.js';
import { layoutOf, stridesOf, type ImageShape } from './layout.js';

/** A row of a sheet, or several where there are more images than go into one. */
export interface SheetRow {
  /** On its left; in capitals. */
  readonly label?: string;
  /** `[count, ...image]`, from −1 to 1; what lies beyond is cut. */
  readonly images: HostArray;
}

export interface SheetOptions {
  /** `[height, width, channels]` with 1 or 3 channels; images lie flattened, or in either layout. */
  readonly imageShape: ImageShape;
  /** Images side by side; default: as many as the longest row has. */
  readonly across?: number;
  /** Side of one pixel of an image, in pixels of the sheet; default: such that an image is about 64 wide. */
  readonly scale?: number;
}

type Colour = readonly [red: number, green: number, blue: number];

const PAPER: Colour = [255, 255, 255];
const INK: Colour = [40, 40, 40];
/** Between images, in pixels of the sheet. */
const GAP = 2;
/** Side of a dot of a label. */
const DOT = 2;
/** Most pixels of a sheet along a side. */
const LARGEST_SIDE = 30_000;
const IMAGE_WIDTH = 64;

/**
 * A sheet as the bytes of a PNG file.
 *
 * @throws {ArgumentError} when there is no image, images are of another shape, or the sheet would be too large
 */
export function imageSheet(rows: readonly SheetRow[], options: SheetOptions): Uint8Array {
  const { imageShape } = options;
  const [height, width] = imageShape;
  const scale = options.scale ?? Math.max(1, Math.round(IMAGE_WIDTH / width));
  const across = options.across ?? Math.max(...rows.map(({ images }) => images.shape[0]!));
  for (const { images } of rows) checkImages(images, imageShape);
  for (const [name, value] of Object.entries({ scale, across })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new ArgumentError(`A sheet's ${name} is a positive whole number, got ${value}.`);
    }
  }
  const margin =
    GAP + Math.max(0, ...rows.map(({ label = '' }) => (label === '' ? 0 : DOT * (widthOf(label) + 3))));
  const [stepX, stepY] = [width * scale + GAP, Math.max(height * scale, DOT * GLYPH.height) + GAP];
  const lines = rows.reduce((sum, { images }) => sum + Math.ceil(images.shape[0]! / across), 0);
  const canvas = new Canvas(margin + across * stepX, GAP + lines * stepY);
  let line = 0;
  for (const { label = '', images } of rows) {
    const middle = Math.floor((height * scale - DOT * GLYPH.height) / 2);
    canvas.text(label, GAP + DOT, GAP + line * stepY + Math.max(0, middle));
    for (let image = 0; image < images.shape[0]!; image++) {
      const [left, top] = [
        margin + (image % across) * stepX,
        GAP + (line + Math.floor(image / across)) * stepY,
      ];
      canvas.image(images, image, imageShape, left, top, scale);
    }
    line += Math.ceil(images.shape[0]! / across);
  }
  return canvas.png();
}

/** A grid of images as the bytes of a PNG file: `imageSheet` of one row that is broken into lines. */
export function imageGrid(images: HostArray, options: SheetOptions): Uint8Array {
  return imageSheet([{ images }], {
    ...options,
    across: options.across ?? Math.ceil(Math.sqrt(images.shape[0]!)),
  });
}

function checkImages(images: HostArray, imageShape: Shape): void {
  const isImage = imageShape.length === 3 && [1, 3].includes(imageShape[2]!);
  if (
    !isImage ||
    images.shape.length < 2 ||
    images.size !== images.shape[0]! * sizeOf(imageShape) ||
    images.size === 0
  ) {
    throw new ArgumentError(
      `A sheet takes [count, ...image] images of shape [height, width, 1 or 3], got ${images} of shape ${formatShape(imageShape)}.`,
    );
  }
}

class Canvas {
  private readonly pixels: Uint8Array;

  constructor(
    private readonly width: number,
    private readonly height: number,
  ) {
    if (!(width <= LARGEST_SIDE && height <= LARGEST_SIDE)) {
      throw new ArgumentError(
        `A sheet has at most ${LARGEST_SIDE} pixels along a side, this one ${width} by ${height}: show fewer images.`,
      );
    }
    this.pixels = new Uint8Array(width * height * 3);
    this.square(0, 0, width, height, PAPER);
  }

  text(text: string, left: number, top: number): void {
    for (const [x, y] of dotsOf(text)) this.square(left + DOT * x, top + DOT * y, DOT, DOT, INK);
  }

  image(
    images: HostArray,
    index: number,
    imageShape: ImageShape,
    left: number,
    top: number,
    scale: number,
  ): void {
    const [height, width, channels] = imageShape;
    const strides = stridesOf(imageShape, layoutOf(images.shape.slice(1), imageShape));
    const start = index * sizeOf(imageShape);
    for (let y = 0, pixel = 0; y < height; y++) {
      for (let x = 0; x < width; x++, pixel++) {
        const [red, green, blue] = leading(
          [0, 1, 2].map((channel) =>
            byteOf(
              images.data[start + pixel * strides.pixel + Math.min(channel, channels - 1) * strides.channel]!,
            ),
          ),
          3,
        );
        this.square(left + x * scale, top + y * scale, scale, scale, [red, green, blue]);
      }
    }
  }

  png(): Uint8Array {
    return encode({ width: this.width, height: this.height, data: this.pixels, channels: 3, depth: 8 });
  }

  private square(left: number, top: number, width: number, height: number, colour: Colour): void {
    for (let y = top; y < Math.min(this.height, top + height); y++) {
      for (let x = left; x < Math.min(this.width, left + width); x++)
        this.pixels.set(colour, (y * this.width + x) * 3);
    }
  }
}
