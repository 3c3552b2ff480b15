/**
 * Points: what every metric makes of the arrays it is given. They are checked once (rows, width, finite values) and
 * laid out column by column in float64, which is the order that pairwise distances and projections read them in.
 */
import { DataError, ShapeError, sizeOf, type HostArray } from '@meanflow/core';
import { formatShape } from '@meanflow/core/validation';

/** A set of points. */
export interface Points {
  readonly count: number;
  readonly dimension: number;
  /** `[dimension][count]`, finite. */
  readonly columns: readonly Float64Array[];
}

/**
 * Points from the rows of an array; features of any shape are flattened.
 *
 * @param name what the array is, for messages
 * @param array `[rows, ...features]`
 * @param minimum rows needed
 * @throws {ShapeError} when there are fewer rows or no features
 * @throws {DataError} when a value is not finite
 */
export function pointsOf(name: string, array: HostArray, minimum = 1): Points {
  const [count = 0, ...features] = array.shape;
  const dimension = sizeOf(features);
  if (array.shape.length < 2 || count < minimum || dimension < 1) {
    const rows = minimum === 1 ? 'row' : 'rows';
    throw new ShapeError(
      `The ${name} are ${formatShape(array.shape)}, expected [rows, ...features] with at least ${minimum} ${rows}.`,
    );
  }
  const columns = Array.from({ length: dimension }, (_, column) => {
    const values = new Float64Array(count);
    for (let row = 0; row < count; row++) {
      const value = array.data[row * dimension + column]!;
      if (!Number.isFinite(value)) {
        throw new DataError(
          `The ${name} hold ${value} in row ${row}, feature ${column}; expected finite numbers.`,
        );
      }
      values[row] = value;
    }
    return values;
  });
  return { count, dimension, columns };
}

/**
 * Two sets of points in the same space.
 *
 * @throws {ShapeError} when one has another number of features than the other; otherwise as `pointsOf`
 */
export function pointsOfPair(
  names: readonly [string, string],
  arrays: readonly [HostArray, HostArray],
  minimum = 1,
): [Points, Points] {
  const first = pointsOf(names[0], arrays[0], minimum);
  const second = pointsOf(names[1], arrays[1], minimum);
  if (first.dimension !== second.dimension) {
    throw new ShapeError(
      `The ${names[0]} have ${first.dimension} features and the ${names[1]} ${second.dimension}, expected as many.`,
    );
  }
  return [first, second];
}

/** What the two arguments of a two-sample metric are called in messages. */
export const SAMPLES_AND_REFERENCE = ['samples', 'reference samples'] as const;
