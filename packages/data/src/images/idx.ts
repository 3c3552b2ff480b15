/**
 * IDX files, in which MNIST and its relatives come (LeCun, Cortes and Burges, "The MNIST database of handwritten digits"):
 * two zero bytes, the type of an element, the number of axes, their lengths, the elements. Of unsigned bytes here,
 * plain or compressed with gzip.
 */
import { DataError } from '@meanflow/core';
import { maybeGunzip } from '../gunzip.js';
import { imageRows, type ImageRows } from './image-rows.js';

const UNSIGNED_BYTE = 0x08;

/** A file's content with its name, for messages. */
export interface NamedBytes {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/**
 * Images with their labels.
 *
 * @param images `[count, height, width]` or `[count, height, width, channels]`
 * @param labels `[count]`; undefined where there are none
 * @param classes how many classes there are, or what each is called; by default as many as the largest label says
 * @throws {DataError} naming the file when it is no IDX file of bytes, its length is not what its header says, it has
 *   other axes, there are not as many labels as images, or a label is none of the classes
 */
export function idxImages(
  images: NamedBytes,
  labels: NamedBytes | undefined,
  classes?: number | readonly string[],
): ImageRows {
  const { shape, data } = readIdx(images);
  const [count = 0, height = 0, width = 0, channels = 1] = shape;
  if (
    (shape.length !== 3 && shape.length !== 4) ||
    ![1, 3].includes(channels) ||
    count * height * width === 0
  ) {
    throw new DataError(
      `${images.file}: found an array [${shape.join(', ')}], expected images [count, height, width] or with 1 or 3 channels.`,
    );
  }
  const imageShape = [height, width, channels] as const;
  if (labels === undefined) return imageRows(data, { imageShape, labels: undefined, classNames: undefined });
  const found = readIdx(labels);
  if (found.shape.length !== 1 || found.data.length !== count) {
    throw new DataError(
      `${labels.file}: found labels [${found.shape.join(', ')}], expected [${count}], one for each image of ${images.file}.`,
    );
  }
  const classNames = namesOf(classes ?? found.data.reduce((a, b) => Math.max(a, b), 0) + 1);
  const wrong = found.data.findIndex((label) => label >= classNames.length);
  if (wrong >= 0 || classNames.length < 2) {
    throw new DataError(
      `${labels.file}: the label of image ${Math.max(0, wrong)} is ${found.data[Math.max(0, wrong)]}, expected at least two classes, ` +
        `from 0 to ${Math.max(1, classNames.length - 1)}${typeof classes === 'object' ? ', as many as there are names' : ''}.`,
    );
  }
  return imageRows(data, { imageShape, labels: Int32Array.from(found.data), classNames });
}

/** What is not named is called by its number. */
function namesOf(classes: number | readonly string[]): readonly string[] {
  return typeof classes === 'number' ? Array.from({ length: classes }, (_, label) => String(label)) : classes;
}

function readIdx({ file, bytes: packed }: NamedBytes): {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
} {
  const bytes = maybeGunzip(packed, file);
  const [zero, alsoZero, type = 0, axes = 0] = bytes;
  if (bytes.length < 4 || zero !== 0 || alsoZero !== 0 || axes < 1) {
    throw new DataError(
      `${file}: it does not begin as an IDX file does, with two zero bytes, a type and a number of axes.`,
    );
  }
  if (type !== UNSIGNED_BYTE) {
    throw new DataError(
      `${file}: found elements of type 0x${type.toString(16)}, expected unsigned bytes, 0x8.`,
    );
  }
  const start = 4 + 4 * axes;
  if (bytes.length < start) throw new DataError(`${file}: it is cut short within its header.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  const expected = shape.reduce((a, b) => a * b, 1);
  if (bytes.length - start !== expected) {
    throw new DataError(
      `${file}: an array [${shape.join(', ')}] takes ${expected} bytes, found ${bytes.length - start}: ` +
        `the file is ${bytes.length - start < expected ? 'cut short, or its counts are wrong' : 'longer than it says'}.`,
    );
  }
  return { shape, data: bytes.subarray(start) };
}
