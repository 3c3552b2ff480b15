/**
 * Dataset: what training and evaluation ask of data, whether it is drawn afresh from a distribution or read from a
 * table. Nothing here has state. A batch follows from a key and a step alone, so that a resumed run sees the batches
 * it would have seen, and evaluation samples follow from a key. Features leave normalised, as float32.
 */
import {
  ArgumentError,
  type ConditionSpec,
  type HostArray,
  type RandomKey,
  type Shape,
} from '@meanflow/core';
import { type Normalisation } from './normalisation.js';
import { type TableColumn, type TableReading } from './table.js';
import { type Support } from './support.js';

/** Rows to learn from, and rows held out to judge by. */
export type Split = 'train' | 'test';

/** What rows are given beside their features and class, and how it relates to the source's units. */
export interface DataCondition extends ConditionSpec {
  /** A name for each of its numbers, where they have names. */
  readonly columns?: readonly string[] | undefined;
  readonly normalisation: Normalisation;
}

/** Normalised features and, where the data has them, the class of each row and its conditions. */
export interface Batch {
  /** float32 `[batch, ...featureShape]`. */
  readonly x: HostArray<'float32'>;
  /** int32 `[batch]`, classes from 0; undefined where the data has none. */
  readonly label: HostArray<'int32'> | undefined;
  /** float32 `[batch, ...shape]` for each of the data's `conditions`, of the same rows. */
  readonly conditions?: Readonly<Record<string, HostArray<'float32'>>> | undefined;
  /** Which rows have an optional one, float32 `[batch]`, 1 or 0; by default every row. */
  readonly present?: Readonly<Record<string, HostArray<'float32'>>> | undefined;
}

/** Data to train on and to evaluate against. */
export interface Dataset {
  readonly name: string;
  /** Shape of one sample: `[2]` for points of the plane, `[64]` for flattened digits, `[16, 16, 3]` for an image. */
  readonly featureShape: Shape;
  /**
   * `[height, width, channels]` where the features are the pixels of an image: flattened, `[height, width, channels]` or
   * `[channels, height, width]`, as `featureShape` says.
   */
  readonly imageShape: Shape | undefined;
  /** A name for each feature, in order; empty where there are so many that places name them: `featureNames`. */
  readonly columns: readonly string[];
  readonly classCount: number | undefined;
  /** The label of each class as the source writes it, in order of class. */
  readonly classNames: readonly string[] | undefined;
  /**
   * Rows of each class in both splits together, in order of class. Undefined where there are no classes, and where
   * samples are drawn afresh: there all classes are equally likely.
   */
  readonly classCounts?: readonly number[] | undefined;
  /** What was taken for granted in reading the source, as phrases for people, such as `decimal comma`. */
  readonly notes?: readonly string[];
  /** Files that were left out because they cannot be read: each with its cause, in a sentence. */
  readonly damaged?: readonly string[];
  /** The columns of a table, those that are learnt and others, in the source's order. */
  readonly layout?: readonly TableColumn[] | undefined;
  /** How the source was read, as options of its kind, which give the same data again. */
  readonly reading?: TableReading | Readonly<Record<string, string | readonly string[]>> | undefined;
  /** Rows in each split; undefined where samples are drawn afresh and never repeat. */
  readonly sizes: Readonly<Record<Split, number>> | undefined;
  /** What every row is given, by name; absent where there is nothing beside features and class. */
  readonly conditions?: Readonly<Record<string, DataCondition>> | undefined;
  /** How features relate to the source's own units; undo it on samples with `denormalise`. */
  readonly normalisation: Normalisation;
  /** Where the data can lie, where that is known exactly; in normalised coordinates. */
  readonly support: Support | undefined;

  /**
   * The batch of a step. Where there are rows to run out of, every epoch visits each training row once, in an order
   * of its own, and a batch may straddle two epochs.
   *
   * @param key the run's key for data: the same for every step
   * @param step which batch, from 0
   * @param size rows in the batch, the same for every step
   * @throws {ArgumentError} when step or size is not a whole number in range
   */
  batch(key: RandomKey, step: number, size: number): Batch;

  /**
   * Samples to evaluate against.
   *
   * @param split held-out rows share nothing with the training rows; where samples are drawn afresh, the splits are
   *   independent draws
   * @param key chooses the rows, or draws the samples
   * @param count how many; where there are no more rows than this, all of them, in the source's order
   * @throws {ArgumentError} when count is not a positive whole number
   */
  reference(split: Split, key: RandomKey, count: number): Batch;
}

/** A name for each feature, in order: those of `columns`, or `feature_0_0_2` by place, such as row, column, channel. */
export function featureNames({
  columns,
  featureShape,
}: Pick<Dataset, 'columns' | 'featureShape'>): readonly string[] {
  if (columns.length > 0) return columns;
  return featureShape.reduce<string[]>(
    (names, length) => names.flatMap((name) => Array.from({ length }, (_, i) => `${name}_${i}`)),
    ['feature'],
  );
}

/** @throws {ArgumentError} when a batch's step or size is out of range. */
export function checkBatch(dataset: string, step: number, size: number): void {
  if (!Number.isSafeInteger(step) || step < 0) {
    throw new ArgumentError(`A batch of "${dataset}" belongs to a step from 0 on, got step ${step}.`);
  }
  checkCount(`A batch of "${dataset}"`, size);
}

/** @throws {ArgumentError} when a number of rows is not a positive whole number. */
export function checkCount(what: string, count: number): void {
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new ArgumentError(`${what} needs a positive whole number of rows, got ${count}.`);
  }
}
