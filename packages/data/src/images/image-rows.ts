/** ImageRows: images that lie in a row, in memory or in files, and can be read one by one. Formats make them. */
import { type ImageShape } from './layout.js';

/** A finite set of images of one size. */
export interface ImageRows {
  readonly imageShape: ImageShape;
  readonly count: number;
  /** The class of each; undefined where there are none. */
  readonly labels: Int32Array | undefined;
  /** What the source calls each class, in order of class. */
  readonly classNames: readonly string[] | undefined;
  /**
   * An image in 8 bits.
   *
   * @returns `[height, width, channels]`, not to be changed
   * @throws {DataError} naming the file when it cannot be read
   */
  read(row: number): Uint8Array;
  /** Rows that will be read soon, in this order: a hint. */
  readAhead?(rows: Int32Array): void;
}

/** Images that are in memory. @param pixels `[count, height, width, channels]` */
export function imageRows(
  pixels: Uint8Array,
  { imageShape, labels, classNames }: Pick<ImageRows, 'imageShape' | 'labels' | 'classNames'>,
): ImageRows {
  const size = imageShape[0] * imageShape[1] * imageShape[2];
  return {
    imageShape,
    count: pixels.length / size,
    labels,
    classNames,
    read: (row) => pixels.subarray(row * size, (row + 1) * size),
  };
}
