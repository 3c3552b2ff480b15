/**
 * What was understood of data, for people to check before anything is trained on it: rows, columns or shape, classes with
 * their counts, what the network will see, and everything that was taken for granted in reading the source.
 */
import { RandomKey, sizeOf } from '@meanflow/core';
import { printable } from '@meanflow/core/validation';
import { type Dataset } from './dataset.js';

/** Values that mean and deviation are computed of, at most, but for the least number of rows. */
const MOST_VALUES = 2 ** 20;
const LEAST_ROWS = 16;
/** Names that a line shows of many. */
const SHOWN = 8;
/** Characters of a name in it. */
const LONGEST = 60;
/** Characters of a note. */
const LONGEST_NOTE = 400;

/** Mean and deviation of what the network sees, over all values of training rows. */
export interface SeenValues {
  readonly mean: number;
  readonly deviation: number;
}

/** Mean and deviation over training rows, as many as hold about a million values. */
export function seenValues(dataset: Dataset): SeenValues {
  const { featureShape, sizes } = dataset;
  const rows = Math.max(LEAST_ROWS, Math.floor(MOST_VALUES / sizeOf(featureShape)));
  const key = RandomKey.fromSeed(0).fold('description');
  const { data } = dataset.reference('train', key, Math.min(rows, sizes?.train ?? 10_000)).x;
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const variance = data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length;
  return { mean, deviation: Math.sqrt(variance) };
}

/**
 * One line: `points.csv: 1,000 rows (800 to learn from, 200 held out) of 2 columns (x, y); 2 classes (common 904,
 * rare 96); mean 0.00, deviation 1.00 after normalising; delimiter ";", decimal comma`.
 */
export function describeData(dataset: Dataset): string {
  const { mean, deviation } = seenValues(dataset);
  const parts = [
    `${rowsText(dataset)} of ${shapeText(dataset)}`,
    classesText(dataset),
    ...conditionsText(dataset),
    `mean ${decimal(mean)}, deviation ${decimal(deviation)} after normalising`,
    ...(dataset.notes ?? []).map((note) => printable(note, LONGEST_NOTE)),
  ];
  return `${printable(dataset.name)}: ${parts.join('; ')}.`;
}

function rowsText({ sizes }: Dataset): string {
  if (sizes === undefined) return 'samples drawn afresh';
  const { train, test } = sizes;
  return `${count(train + test)} rows (${count(train)} to learn from, ${count(test)} held out)`;
}

function shapeText({ columns, featureShape, imageShape }: Dataset): string {
  if (imageShape !== undefined) return `images ${imageShape.join(' × ')} (height, width, channels)`;
  if (columns.length === 0) return featureShape.join(' × ');
  return `${count(columns.length)} ${columns.length === 1 ? 'column' : 'columns'} (${shortened(columns)})`;
}

function classesText({ classCount, classNames, classCounts }: Dataset): string {
  if (classCount === undefined) return 'no classes';
  const names = Array.from({ length: classCount }, (_, label) => {
    const rows = classCounts?.[label];
    return `${classNames?.[label] ?? label}${rows === undefined ? '' : ` ${count(rows)}`}`;
  });
  return `${count(classCount)} ${classCount === 1 ? 'class' : 'classes'} (${shortened(names)})`;
}

function conditionsText({ conditions = {} }: Dataset): string[] {
  return Object.entries(conditions).map(([name, { kind, shape, columns }]) => {
    if (columns !== undefined) return `${name}: ${shortened(columns)}`;
    return `given ${name}, a${kind === 'image' ? 'n' : ''} ${kind} of ${shape.join(' × ')}`;
  });
}

/** The first of many, and the last. */
function shortened(names: readonly string[]): string {
  const shown = names.length <= SHOWN ? names : [...names.slice(0, SHOWN - 2), '…', ...names.slice(-1)];
  return shown.map((name) => printable(name, LONGEST)).join(', ');
}

function decimal(value: number): string {
  const text = Math.abs(value) < 1000 ? value.toFixed(2) : value.toPrecision(4);
  return text === '-0.00' ? '0.00' : text;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
