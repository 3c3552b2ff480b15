/**
 * A table as a Dataset: rows are split by seed into training and held-out rows, the normalisation is fitted to the
 * training rows only, and batches run through the training rows epoch by epoch.
 */
import { ArgumentError, DataError, HostArray, type Shape } from '@meanflow/core';
import { countClasses } from './class-labels.js';
import type { Dataset } from './dataset.js';
import { fitStandard, normalise, type Normalisation } from './normalisation.js';
import { labelsAt, splitBatches } from './rows-dataset.js';
import { checkHeldOut, splitRows, type SplitOptions } from './split.js';
import { type Table, type TableColumn } from './table.js';

export interface TableDatasetOptions extends SplitOptions {
  readonly name: string;
  /** Default: zero mean and unit variance over the training rows. */
  readonly normalisation?: Normalisation;
  readonly imageShape?: Shape;
}

/**
 * The dataset of a table.
 *
 * @throws {DataError} when there are fewer than 3 rows (two to learn from, one to hold out), or every column is constant
 *   over the training rows
 * @throws {ArgumentError} when `heldOut` is not from 0, below 1
 */
export function tableDataset(table: Table, options: TableDatasetOptions): Dataset {
  const { name, seed = 0, heldOut = 0.2, imageShape } = options;
  checkHeldOut(heldOut, name);
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
  const learnt = options.normalisation === undefined ? withoutConstants(table, rows.train) : table;
  const { values, columns, labels, classNames } = learnt;
  const normalisation = options.normalisation ?? fitStandard({ ...learnt, rows: rows.train });
  const inSourceUnits = new HostArray('float64', [table.rowCount, columns.length], values);
  const features = normalise(normalisation, inSourceUnits);
  return {
    name,
    featureShape: [columns.length],
    imageShape,
    columns,
    classCount: classNames?.length,
    classNames,
    classCounts: labels && classNames && countClasses(labels, classNames.length),
    notes: learnt.notes ?? [],
    layout: learnt.layout,
    reading: learnt.reading,
    normalisation,
    support: undefined,
    ...splitBatches(name, rows, (chosen) => ({
      x: features.takeRows(chosen),
      label: labelsAt(labels, chosen),
    })),
  };
}

/**
 * The table without the columns that are the same in all training rows: they have no scale and nothing to learn, and come back
 * in samples.
 *
 * @throws {DataError} when there is no other column
 */
function withoutConstants(table: Table, rows: Int32Array): Table {
  const { values, columns, rowCount, file } = table;
  const width = columns.length;
  const at = (row: number, column: number): number => values[row * width + column]!;
  const isConstant = columns.map((_, column) =>
    rows.every((row) => at(row, column) === at(rows[0]!, column)),
  );
  const kept = columns.map((_, column) => column).filter((column) => !isConstant[column]);
  if (kept.length === width) return table;
  if (kept.length === 0) {
    throw new DataError(
      `${file}: ${width === 1 ? 'the column' : 'every column'} is the same in all ${rows.length} training rows, expected values that vary.`,
    );
  }
  const varying = new Float64Array(rowCount * kept.length);
  for (let row = 0, next = 0; row < rowCount; row++) {
    for (const column of kept) varying[next++] = at(row, column);
  }
  const constants = columns.filter((_, column) => isConstant[column]);
  const shown = constants.length <= SHOWN ? constants : [...constants.slice(0, SHOWN), '…'];
  let feature = 0;
  const layout = table.layout?.map((column): TableColumn => {
    if (column.kind !== 'feature') return column;
    const place = feature++;
    return isConstant[place] ? { kind: 'constant', name: column.name, value: at(rows[0]!, place) } : column;
  });
  const note = `${constants.length} constant ${constants.length === 1 ? 'column' : 'columns'} kept aside (${shown.join(', ')})`;
  return {
    ...table,
    values: varying,
    columns: kept.map((column) => columns[column]!),
    layout,
    notes: [...(table.notes ?? []), note],
  };
}

/** Names of constant columns that a note shows of many. */
const SHOWN = 4;
