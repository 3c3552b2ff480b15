/**
 * A table as a Dataset: rows are split by seed into training and held-out rows, the normalisation is fitted to the
 * training rows only, and batches run through the training rows epoch by epoch.
 */
import { ArgumentError, DataError, HostArray, type Shape } from '@meanflow/core';
import { countClasses } from './class-labels.js';
import { checkBatch, checkCount, type Batch, type Dataset } from './dataset.js';
import { fitStandard, normalise, type Normalisation } from './normalisation.js';
import { EpochOrder, splitRows } from './split.js';
import { type Table } from './table.js';

/** How rows are held out. */
export interface SplitOptions {
  /** Seed of the split; the same seed gives the same held-out rows. Default 0. */
  readonly seed?: number;
  /** Share of the rows held out. Default 0.2. */
  readonly heldOut?: number;
}

export interface TableDatasetOptions extends SplitOptions {
  readonly name: string;
  /** Default: zero mean and unit variance over the training rows. */
  readonly normalisation?: Normalisation;
  readonly imageShape?: Shape;
}

/**
 * The dataset of a table.
 *
 * @throws {DataError} when there are fewer than 3 rows (two to learn from, one to hold out), or a column is constant
 *   over the training rows
 * @throws {ArgumentError} when `heldOut` is not between 0 and 1
 */
export function tableDataset(table: Table, options: TableDatasetOptions): Dataset {
  const { name, seed = 0, heldOut = 0.2, imageShape } = options;
  if (!(heldOut > 0 && heldOut < 1)) {
    throw new ArgumentError(`The held-out share of "${name}" lies between 0 and 1, got ${heldOut}.`);
  }
  if (table.rowCount < 3) {
    throw new DataError(
      `${table.file}: found ${table.rowCount} ${table.rowCount === 1 ? 'row' : 'rows'}, expected at least 3: ` +
        'two to learn from and one to hold out.',
    );
  }
  const rows = splitRows(table.rowCount, table.labels, heldOut, seed);
  if (rows.train.length < 2) {
    throw new ArgumentError(
      `Holding out ${heldOut} of the ${table.rowCount} rows of "${name}" leaves one to learn from.`,
    );
  }
  const normalisation = options.normalisation ?? fitStandard({ ...table, rows: rows.train });
  const inSourceUnits = new HostArray('float64', [table.rowCount, table.columns.length], table.values);
  const features = normalise(normalisation, inSourceUnits);
  const epochs = new EpochOrder(rows.train);
  const take = (chosen: Int32Array): Batch => takeRows(features, table.labels, chosen);
  return {
    name,
    featureShape: [table.columns.length],
    imageShape,
    columns: table.columns,
    classCount: table.classNames?.length,
    classNames: table.classNames,
    classCounts: table.labels && table.classNames && countClasses(table.labels, table.classNames.length),
    sizes: { train: rows.train.length, test: rows.test.length },
    normalisation,
    support: undefined,
    batch: (key, step, size) => {
      checkBatch(name, step, size);
      return take(epochs.batch(key, step, size));
    },
    reference: (split, key, count) => {
      checkCount(`A reference sample of "${name}"`, count);
      const all = rows[split];
      if (count >= all.length) return take(all);
      const order = key.fold('reference').fold(split).permutation(all.length);
      return take(order.subarray(0, count).map((i) => all[i]));
    },
  };
}

function takeRows(features: HostArray<'float32'>, labels: Int32Array | undefined, rows: Int32Array): Batch {
  const width = features.shape[1];
  const x = new Float32Array(rows.length * width);
  rows.forEach((row, i) => x.set(features.data.subarray(row * width, (row + 1) * width), i * width));
  return {
    x: new HostArray('float32', [rows.length, width], x),
    label:
      labels &&
      new HostArray(
        'int32',
        [rows.length],
        rows.map((row) => labels[row]),
      ),
  };
}
