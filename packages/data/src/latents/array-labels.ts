/** Labels in an array as classes: each number that occurs is one, or all from 0 to the largest are. */
import { ArgumentError, DataError, type HostArray } from '@meanflow/core';
import { formatShape } from '@meanflow/core/validation';

/** Most classes that labels may tell of: each gets a name. */
const MOST_CLASSES = 1_000_000;

/**
 * `distinct`: each number that occurs is a class, called by it, so that none is never learnt; `numbers`: the classes are 0 to
 * the largest, or to `classCount` less one.
 */
export type LabelMeaning = 'distinct' | 'numbers';

export interface ArrayLabels {
  readonly labels: Int32Array;
  readonly classNames: readonly string[];
  readonly notes: readonly string[];
}

/**
 * @param given int32 or whole floats, `[count]` or `[count, 1]`
 * @param classCount how many classes there are, where more than occur; labels are numbers below it
 * @throws {DataError} when there are not as many labels as rows, or one is no whole number in range
 */
export function arrayLabels(
  given: HostArray,
  count: number,
  {
    classCount,
    labelMeaning: meaning,
  }: { readonly classCount?: number; readonly labelMeaning?: LabelMeaning },
  source: string,
): ArrayLabels {
  if (given.size !== count || given.shape[0] !== count) {
    throw new DataError(
      `${source}: found labels ${formatShape(given.shape)}, expected one for each of ${count} rows.`,
    );
  }
  const values = Int32Array.from(given.data);
  const wrong = given.data.findIndex((value: number, i: number) => value !== values[i] || value < 0);
  if (wrong >= 0) {
    throw new DataError(`${source}: found the label ${given.data[wrong]}, expected whole numbers from 0.`);
  }
  if (classCount !== undefined && meaning === 'distinct') {
    throw new ArgumentError(
      `${source}: with classCount the labels are numbers below it, not distinct names.`,
    );
  }
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  const largest = distinct[distinct.length - 1]!;
  const known = classCount ?? largest + 1;
  if (largest >= known) {
    throw new DataError(`${source}: found the label ${largest}, expected 0 to ${known - 1}.`);
  }
  if (!((classCount === undefined && meaning !== 'numbers' ? distinct.length : known) <= MOST_CLASSES)) {
    throw new DataError(`${source}: found labels of ${known} classes, expected at most ${MOST_CLASSES}.`);
  }
  if (classCount !== undefined || meaning === 'numbers') {
    const unseen = known - distinct.length;
    return {
      labels: values,
      classNames: Array.from({ length: known }, (_, label) => String(label)),
      notes: unseen === 0 ? [] : [`${unseen} of ${known} classes have no row`],
    };
  }
  const places = new Map(distinct.map((value, place) => [value, place]));
  const hasGaps = known !== distinct.length;
  return {
    labels: values.map((value) => places.get(value)!),
    classNames: distinct.map(String),
    notes: hasGaps
      ? [`labels from ${distinct[0]} to ${largest} are ${distinct.length} classes, called by them`]
      : [],
  };
}
