/** Samples as files: numbers in the data's own units (CSV, JSON, NumPy's npz and npy), points and images as pictures (PNG, SVG). */
import { existsSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { ArgumentError, type HostArray } from '@meanflow/core';
import { encodeNpy, encodeNpz } from '@meanflow/formats';
import type { DataFacts, Labels } from './experiment/model.js';
import { GIVEN, type Batch } from '@meanflow/data';
import { className, conditionsInUnits, sampleArrays, sampleTable, type SampleTable } from './sample-table.js';
import { frameAround } from './plots/frame.js';
import { imageGridPng } from './plots/image-grid.js';
import { lightPalette } from './plots/palette.js';
import { scatterMarks } from './plots/scatter.js';
import { scatterPng } from './plots/scatter-raster.js';
import { sheetSvg } from './plots/sheet.js';

const formats = ['.csv', '.json', '.npz', '.npy', '.png', '.svg'] as const;
type Format = (typeof formats)[number];

/** Images in a row of a picture, where nothing else is asked for. */
const ACROSS = 10;
/** Pixels of a picture that an image is about as wide as, where it is smaller. */
const WIDTH = 48;

/** @throws {ArgumentError} when the file's ending is none of the formats, or its picture cannot be made of such data */
export function checkFormat(path: string, data: DataFacts): void {
  formatOf(path, data);
}

/** Whether samples go into a folder, as PNG files: one that is there, ends with a slash, or has a name without an ending. */
export function isFolderOutput(path: string): boolean {
  if (path === '-') return false;
  return /[\\/]$/.test(path) || extname(path) === '' || (existsSync(path) && statSync(path).isDirectory());
}

/** @throws {ArgumentError} when such data make no pictures, or none of one image each */
export function checkFolderOutput({ name, imageShape }: DataFacts): void {
  if (imageShape !== undefined) return;
  throw new ArgumentError(
    `A folder is filled with a PNG file for each image, and samples of ${name} are none: write ${formats.join(', ')}.`,
  );
}

/**
 * The file's content.
 *
 * @param samples `[rows, ...features]`, normalised
 * @param labels the class that each row was asked for
 * @param across images in a row of a picture
 * @param delimiter between the cells of CSV
 * @param conditions what each row was drawn for, normalised; columns that were given are in their places in rows
 */
export function formatSamples(
  path: string,
  samples: HostArray,
  labels: Labels,
  data: DataFacts,
  across = ACROSS,
  delimiter = COMMA,
  conditions?: Batch['conditions'],
): Uint8Array | string {
  const format = formatOf(path, data);
  if (format === '.csv') return csv(sampleTable(samples, labels, data, conditions), delimiter);
  if (format === '.json') return json(samples, labels, data, conditions);
  if (format === '.npz') return encodeNpz(sampleArrays(samples, labels, data, conditions));
  if (format === '.npy') return encodeNpy(sampleArrays(samples, undefined, data).arr_0);
  const { imageShape } = data;
  if (imageShape !== undefined) {
    const png = imageGridPng(samples, {
      imageShape,
      across,
      scale: Math.max(1, Math.floor(WIDTH / imageShape[1]!)),
    });
    return format === '.png'
      ? png
      : sheetSvg([{ label: data.name, panels: [{ caption: '', content: { png } }] }]);
  }
  const frame = frameAround(samples);
  if (format === '.png')
    return scatterPng([[{ points: samples, colour: lightPalette.data }]], { frame, side: 640 });
  const { svg } = scatterMarks(samples, { frame, colour: lightPalette.data });
  return sheetSvg([
    { label: data.name, panels: [{ caption: data.columns.slice(0, 2).join(', '), content: { marks: svg } }] },
  ]);
}

function formatOf(path: string, { name, columns, imageShape, featureShape }: DataFacts): Format {
  const ending = path === '-' ? '.csv' : extname(path).toLowerCase();
  const found = formats.find((format) => format === ending);
  if (found === undefined) {
    throw new ArgumentError(
      `"${path}" ends in none of ${formats.join(', ')}, which decides the format; a name that ends with "/" is a folder of PNG files.`,
    );
  }
  if ((found === '.png' || found === '.svg') && imageShape === undefined && columns.length < 2) {
    throw new ArgumentError(
      featureShape.length === 3
        ? `Samples of ${name} are latents, which are no picture: give their decoder (--vae), or write .npz, .csv or .json.`
        : 'Samples of a single column make no picture: write .csv, .json, .npz or .npy.',
    );
  }
  return found;
}

/** The delimiter of CSV where no other is asked for. */
const COMMA = ',';

function csv(table: SampleTable, delimiter: string): string {
  const cell = (value: string | number): string => {
    const text = String(value);
    const isSpecial =
      ['"', '\n', '\r', delimiter].some((sign) => text.includes(sign)) || text !== text.trim();
    return isSpecial ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [table.names, ...table.rows].map((row) => `${row.map(cell).join(delimiter)}\n`).join('');
}

function json(samples: HostArray, labels: Labels, data: DataFacts, conditions: Batch['conditions']): string {
  const { name, classNames } = data;
  const { names, rows } = sampleTable(samples, undefined, data, conditions);
  const given = Object.entries(conditionsInUnits(data, conditions)).filter(([each]) => each !== GIVEN);
  const content = {
    data: name,
    columns: names,
    samples: rows,
    ...(labels === undefined
      ? {}
      : { classes: Array.from(labels.data, (label) => className(label, classNames)) }),
    ...(given.length === 0
      ? {}
      : { conditions: Object.fromEntries(given.map(([each, array]) => [each, rowsOf(array)])) }),
  };
  return `${JSON.stringify(content)}\n`;
}

/** The numbers of each row. */
function rowsOf(array: HostArray): number[][] {
  const [count] = array.shape;
  const size = array.size / count!;
  return Array.from({ length: count! }, (_, row) =>
    Array.from(array.data.subarray(row * size, (row + 1) * size)),
  );
}
