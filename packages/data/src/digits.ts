/**
 * Handwritten digits: 1,797 images of 8×8 pixels in ten classes (Alpaydin and Kaynak, "Optical Recognition of
 * Handwritten Digits", UCI Machine Learning Repository, 1998, CC BY 4.0). Pixel values 0 to 16 become [−1, 1] by that
 * known range: some pixels are the same in all images, so that they have no variance to divide by.
 */
import { DataError } from '@meanflow/core';
import { type Dataset } from './dataset.js';
import { rangeNormalisation } from './normalisation.js';
import { parseTable, plainTable } from './table.js';
import type { SplitOptions } from './split.js';
import { tableDataset } from './table-dataset.js';
import { decodeText } from './text.js';

/** The file that holds the digits, beside this package's ATTRIBUTION.md. */
export const DIGITS_FILE = 'digits.csv.gz';

const SIDE = 8;
const LARGEST = 16;

/**
 * The digits as a dataset: features `[64]` in [−1, 1], ten classes.
 *
 * @param bytes the content of `digits.csv.gz`
 * @throws {DataError} when the file is damaged or not the digits
 */
export function digitsDataset(bytes: Uint8Array, options: SplitOptions = {}): Dataset {
  const pixels = SIDE * SIDE;
  const text = decodeText(bytes, DIGITS_FILE);
  const table = parseTable(text, { file: DIGITS_FILE, label: pixels + 1, ...plainTable });
  if (table.columns.length !== pixels || !table.values.every((value) => value >= 0 && value <= LARGEST)) {
    throw new DataError(
      `${DIGITS_FILE}: expected ${pixels} pixel values from 0 to ${LARGEST} and a label in each row.`,
    );
  }
  const columns = Array.from({ length: pixels }, (_, i) => `pixel_${Math.floor(i / SIDE)}_${i % SIDE}`);
  return tableDataset(
    { ...table, columns, layout: undefined, reading: undefined, notes: [] },
    {
      ...options,
      name: 'digits',
      normalisation: rangeNormalisation(pixels, 0, LARGEST),
      imageShape: [SIDE, SIDE, 1],
    },
  );
}
