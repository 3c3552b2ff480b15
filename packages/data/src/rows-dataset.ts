/**
 * Rows that are there, as a Dataset: some are held out by a seed, the normalisation is fitted to the others, and batches run
 * through those epoch by epoch.
 */
import {
  ArgumentError,
  HostArray,
  sizeOf,
  type ConditionKind,
  type RandomKey,
  type Shape,
} from '@meanflow/core';
import { checkFields, describeValue, formatShape, quoted, type FieldKinds } from '@meanflow/core/validation';
import { countClasses } from './class-labels.js';
import { checkBatch, checkCount, type Batch, type Dataset, type Split } from './dataset.js';
import type { DrawnCondition } from './drawn-dataset.js';
import { fitStandard, noNormalisation, normalise, type Normalisation } from './normalisation.js';
import {
  checkHeldOut,
  checkNotEmpty,
  EpochOrder,
  splitRows,
  type SplitOptions,
  type SplitRows,
} from './split.js';

/** A condition of rows: its values, and what they are. */
export interface RowsCondition extends Omit<DrawnCondition, 'kind' | 'shape'> {
  /** float `[rows, ...shape]`, in the source's units. */
  readonly values: HostArray;
  /** By default a vector where each row has one axis, a sequence of two, an image of three. */
  readonly kind?: ConditionKind;
}

export interface RowsDatasetOptions extends SplitOptions {
  readonly name: string;
  /** float `[rows, ...features]`, in the source's units. */
  readonly x: HostArray;
  /** The class of each row, a whole number from 0. */
  readonly label?: ArrayLike<number>;
  /** One for each class; there where there are labels. */
  readonly classNames?: readonly string[];
  /** What every row is given beside its class, by name. */
  readonly conditions?: Readonly<Record<string, RowsCondition>>;
  /** A name for each feature. */
  readonly columns?: readonly string[];
  /** `[height, width, channels]` where rows are images. */
  readonly imageShape?: Shape;
  /**
   * How rows relate to what networks see. By default rows of one axis, and vectors among conditions, have zero mean and unit
   * variance over the training rows, and others are taken as they are.
   */
  readonly normalisation?: Normalisation;
}

const fields: FieldKinds<RowsDatasetOptions> = {
  name: 'text',
  x: 'object',
  label: 'any?',
  classNames: 'list?',
  conditions: 'object?',
  columns: 'list?',
  imageShape: 'list?',
  normalisation: 'object?',
  seed: 'any?',
  heldOut: 'any?',
};

/**
 * The dataset of rows in memory.
 *
 * @throws {ArgumentError} when arrays do not have the same rows, labels have no names, or an option is unknown or out of range
 * @throws {DataError} when a column is constant over the training rows
 */
export function rowsDataset(options: RowsDatasetOptions): Dataset {
  checkFields(`The data set ${quoted(options.name)}`, options, fields);
  const { name, x, classNames, conditions = {}, columns = [], imageShape, seed = 0, heldOut = 0.2 } = options;
  checkHeldOut(heldOut, name);
  checkArrays(name, { x, ...mapValues(conditions, (condition) => condition.values) });
  const [count = 0] = x.shape;
  checkSameRows(name, count, {
    label: options.label?.length,
    ...mapValues(conditions, ({ values }) => values.shape[0]),
  });
  const labels = labelsOf(options);
  const rows = splitRows(count, labels, heldOut, seed);
  const fitted = (values: HostArray, names: readonly string[] | undefined): Normalisation =>
    values.shape.length === 2
      ? fitStandard({
          values: Float64Array.from(values.data),
          rows: rows.train,
          columns: names ?? Array.from({ length: values.shape[1]! }, (_, i) => `feature ${i}`),
          file: name,
        })
      : noNormalisation(1);
  const normalisation = options.normalisation ?? fitted(x, options.columns);
  const features = normalise(normalisation, x);
  const given = Object.entries(conditions).map(([key, { values, kind, ...condition }]) => {
    const shape = values.shape.slice(1);
    const spec = {
      normalisation: fitted(values, condition.columns),
      ...condition,
      shape,
      kind: kind ?? kindOf(shape),
    };
    return { key, spec, values: normalise(spec.normalisation, values) };
  });
  return {
    ...{ name, imageShape, columns, classNames, normalisation },
    featureShape: x.shape.slice(1),
    classCount: classNames?.length,
    ...(labels && classNames && { classCounts: countClasses(labels, classNames.length) }),
    support: undefined,
    ...(given.length > 0 && { conditions: Object.fromEntries(given.map(({ key, spec }) => [key, spec])) }),
    ...splitBatches(name, rows, (chosen) => ({
      x: features.takeRows(chosen),
      label: labelsAt(labels, chosen),
      ...(given.length > 0 && {
        conditions: Object.fromEntries(given.map(({ key, values }) => [key, values.takeRows(chosen)])),
      }),
    })),
  };
}

/** Batches and references of rows that are split, which `take` takes by their numbers. */
export function splitBatches(
  name: string,
  rows: SplitRows,
  take: (chosen: Int32Array) => Batch,
): Pick<Dataset, 'sizes' | 'batch' | 'reference'> {
  const epochs = new EpochOrder(rows.train);
  return {
    sizes: { train: rows.train.length, test: rows.test.length },
    batch: (key, step, size) => {
      checkBatch(name, step, size);
      return take(epochs.batch(key, step, size));
    },
    reference: (split, key, count) => take(referenceRows(name, rows, split, key, count)),
  };
}

function referenceRows(
  name: string,
  rows: SplitRows,
  split: Split,
  key: RandomKey,
  count: number,
): Int32Array {
  checkCount(`A reference sample of "${name}"`, count);
  const all = rows[split];
  checkNotEmpty(all, name);
  if (count >= all.length) return all;
  const order = key.fold('reference').fold(split).permutation(all.length);
  return order.subarray(0, count).map((i) => all[i]!);
}

/** int32 `[rows.length]` */
export function labelsAt(labels: Int32Array | undefined, rows: Int32Array): Batch['label'] {
  if (labels === undefined) return undefined;
  const chosen = rows.map((row) => labels[row]!);
  return new HostArray('int32', [rows.length], chosen);
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}

function checkArrays(name: string, arrays: Readonly<Record<string, unknown>>): void {
  for (const [what, array] of Object.entries(arrays)) {
    if (!(array instanceof HostArray)) {
      throw new ArgumentError(
        `The data set "${name}": expected a HostArray for ${what}, got ${describeValue(array)}.`,
      );
    }
    const values: ArrayLike<number> = array.data;
    for (let i = 0; i < values.length; i++) {
      if (Number.isFinite(values[i])) continue;
      const row = Math.floor((i * array.shape[0]!) / values.length);
      throw new ArgumentError(
        `The data set "${name}": expected finite numbers, found ${values[i]} in row ${row} of ${what}.`,
      );
    }
  }
}

/** The class of each row. A label that is none would be another class, or no class, without a word. */
function labelsOf({ name, label, classNames }: RowsDatasetOptions): Int32Array | undefined {
  if (label === undefined && classNames === undefined) return undefined;
  if (classNames === undefined) {
    throw new ArgumentError(`The data set "${name}" has labels: name its classes (classNames).`);
  }
  if (label === undefined) {
    throw new ArgumentError(`The data set "${name}" has classes: give the class of each row (label).`);
  }
  const labels = Array.from(label);
  const row = labels.findIndex(
    (value) => !(Number.isInteger(value) && value >= 0 && value < classNames.length),
  );
  if (row === -1) return Int32Array.from(labels);
  throw new ArgumentError(
    `The data set "${name}" has label ${describeValue(labels[row])} in row ${row}: expected a class from 0 to ${classNames.length - 1}.`,
  );
}

function checkSameRows(
  name: string,
  count: number,
  others: Readonly<Record<string, number | undefined>>,
): void {
  if (count < 3) throw new ArgumentError(`The data set "${name}" has ${count} rows, expected at least 3.`);
  for (const [what, rows] of Object.entries(others)) {
    if (rows === undefined || rows === count) continue;
    throw new ArgumentError(`The data set "${name}" has ${count} rows in x, and ${rows} in ${what}.`);
  }
}

function kindOf(shape: Shape): ConditionKind {
  const kind = ([undefined, 'vector', 'sequence', 'image'] as const)[shape.length];
  if (kind !== undefined && sizeOf(shape) > 0) return kind;
  throw new ArgumentError(
    `A condition of rows has one to three axes beside the rows, got ${formatShape(shape)}.`,
  );
}
