/**
 * A table of which some columns are given: the others are learnt for what these are, so that samples complete a row that is
 * known in part. The given columns are normalised as they were as features, and become the condition `given`.
 */
import { ArgumentError, HostArray } from '@meanflow/core';
import { didYouMean } from '@meanflow/core/validation';
import { type Batch, type DataCondition, type Dataset } from '../dataset.js';
import { type Normalisation } from '../normalisation.js';

/** The name of the condition. */
export const GIVEN = 'given';

/**
 * The data without the columns of `names`, which become the condition `given`, float32 `[names.length]` in that order.
 *
 * @throws {ArgumentError} when the data has no columns, none of that name, or no other
 */
export function givenColumns(dataset: Dataset, names: readonly string[]): Dataset {
  const { columns, featureShape, imageShape, name, normalisation } = dataset;
  if (columns.length === 0 || imageShape !== undefined || featureShape.length !== 1) {
    throw new ArgumentError(`Columns can be given of a table, and "${name}" is none.`);
  }
  const given = names.map((column) => placeOf(column, columns, name));
  const twice = names.find((_, i) => given.indexOf(given[i]!) < i);
  if (twice !== undefined) throw new ArgumentError(`The column "${twice}" of "${name}" is given twice.`);
  const learnt = columns.map((_, place) => place).filter((place) => !given.includes(place));
  if (given.length === 0 || learnt.length === 0) {
    throw new ArgumentError(
      `Of the ${columns.length} columns of "${name}" ${given.length} are given: some must be, and some be left to learn.`,
    );
  }
  const condition: DataCondition = {
    kind: 'vector',
    shape: [given.length],
    columns: given.map((place) => columns[place]!),
    normalisation: ofColumns(normalisation, given, columns.length),
  };
  const split = ({ x, ...batch }: Batch): Batch => ({
    ...batch,
    x: takeColumns(x, learnt),
    conditions: { ...batch.conditions, [GIVEN]: takeColumns(x, given) },
  });
  const isGiven = new Set(condition.columns);
  const changes: Partial<Dataset> = {
    featureShape: [learnt.length],
    columns: learnt.map((place) => columns[place]!),
    layout: dataset.layout?.map((column) =>
      column.kind === 'feature' && isGiven.has(column.name) ? { ...column, given: true } : column,
    ),
    normalisation: ofColumns(normalisation, learnt, columns.length),
    support: undefined,
    conditions: { ...dataset.conditions, [GIVEN]: condition },
    batch: (key, step, size) => split(dataset.batch(key, step, size)),
    reference: (part, key, count) => split(dataset.reference(part, key, count)),
  };
  return Object.assign(Object.create(dataset) as Dataset, changes);
}

/** Place of a column by its name, or by its number from 1 where the source has no names. */
function placeOf(choice: string, columns: readonly string[], name: string): number {
  const named = [columns.indexOf(choice), columns.indexOf(`column ${choice}`)].find((place) => place >= 0);
  if (named !== undefined) return named;
  throw new ArgumentError(
    `"${name}" has no column "${choice}" to be given, found ${columns.join(', ')}.${didYouMean(choice, columns)}`,
  );
}

/** A normalisation of one column serves all alike. */
function ofColumns(all: Normalisation, places: readonly number[], columns: number): Normalisation {
  if (all.mean.length !== columns) return all;
  return {
    kind: all.kind,
    mean: places.map((place) => all.mean[place]!),
    scale: places.map((place) => all.scale[place]!),
  };
}

function takeColumns(x: HostArray<'float32'>, places: readonly number[]): HostArray<'float32'> {
  const [rows = 0, width = 0] = x.shape;
  const data = new Float32Array(rows * places.length);
  for (let i = 0; i < data.length; i++) {
    data[i] = x.data[Math.floor(i / places.length) * width + places[i % places.length]!]!;
  }
  return new HostArray('float32', [rows, places.length], data);
}
