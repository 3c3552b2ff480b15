/**
 * The binary versions of CIFAR-10 and CIFAR-100 (Krizhevsky, "Learning multiple layers of features from tiny images",
 * 2009): records of one label (CIFAR-100: a coarse and a fine one) and 32×32 pixels, first all reds, then all greens,
 * then all blues.
 */
import { DataError } from '@meanflow/core';
import { type NamedBytes } from './idx.js';
import { imageRows, type ImageRows } from './image-rows.js';

const SIDE = 32;
const PLANE = SIDE * SIDE;
const PIXELS = 3 * PLANE;

/** Which labels: of CIFAR-10, or either of CIFAR-100's. */
export type CifarLabels = 'cifar-10' | 'cifar-100-fine' | 'cifar-100-coarse';

/** Labels before the pixels, which of them is meant, and how many classes there are. */
const forms: Readonly<Record<CifarLabels, { labels: number; at: number; classes: number }>> = {
  'cifar-10': { labels: 1, at: 0, classes: 10 },
  'cifar-100-coarse': { labels: 2, at: 0, classes: 20 },
  'cifar-100-fine': { labels: 2, at: 1, classes: 100 },
};

/**
 * The images of one or more files, one after another.
 *
 * @param classNames as the set's text file lists them; numbers by default
 * @throws {DataError} naming the file when it is not a whole number of records, or a label is out of range
 */
export function cifarImages(
  files: readonly NamedBytes[],
  labelsOf: CifarLabels,
  classNames?: readonly string[],
): ImageRows {
  const { labels: labelBytes, at, classes } = forms[labelsOf];
  const record = labelBytes + PIXELS;
  for (const { file, bytes } of files) {
    if (bytes.length === 0 || bytes.length % record !== 0) {
      throw new DataError(
        `${file}: found ${bytes.length} bytes, expected a whole number of records of ${record}: the file is cut short, or ` +
          'of another set.',
      );
    }
  }
  if (classNames !== undefined && classNames.length !== classes) {
    throw new DataError(
      `There are ${classes} classes in ${labelsOf}, and ${classNames.length} names for them.`,
    );
  }
  const count = files.reduce((sum, { bytes }) => sum + bytes.length / record, 0);
  const pixels = new Uint8Array(count * PIXELS);
  const labels = new Int32Array(count);
  let row = 0;
  for (const { file, bytes } of files) {
    for (let start = 0; start < bytes.length; start += record, row++) {
      labels[row] = bytes[start + at]!;
      if (labels[row]! >= classes) {
        throw new DataError(
          `${file}: record ${start / record} has the label ${labels[row]}, expected 0 to ${classes - 1}.`,
        );
      }
      for (let pixel = 0; pixel < PLANE; pixel++) {
        for (let channel = 0; channel < 3; channel++) {
          pixels[row * PIXELS + 3 * pixel + channel] = bytes[start + labelBytes + channel * PLANE + pixel]!;
        }
      }
    }
  }
  return imageRows(pixels, {
    imageShape: [SIDE, SIDE, 3],
    labels,
    classNames: classNames ?? Array.from({ length: classes }, (_, label) => String(label)),
  });
}
