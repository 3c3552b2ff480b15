/**
 * Sums over all pairs of points, of any function of their squared Euclidean distance: what energy distance and MMD
 * are made of, and what the nearest neighbour is searched in. Exact and quadratic in the number of points: 10,000
 * against 10,000 take about a second. A row of distances is computed at a time, feature by feature, so that the inner
 * loops are plain and the row stays in the cache.
 */
import { type Points } from './points.js';

/**
 * Reduces the squared distances `squared[from …]` of one point to a sum. Take `Math`'s functions into a local first:
 * where code runs in a context of its own, as tests do, each look-up of a global costs more than a square root.
 */
export type RowSum = (squared: Float64Array, from: number) => number;

/**
 * Squared Euclidean distances from one point to others.
 *
 * @param into receives them at the others' indices, from `from` on
 */
export function squaredDistances(
  points: Points,
  index: number,
  others: Points,
  into: Float64Array,
  from = 0,
): void {
  for (let feature = 0; feature < points.dimension; feature++) {
    const at = points.columns[feature]![index]!;
    const column = others.columns[feature]!;
    if (feature === 0) {
      for (let j = from; j < column.length; j++) into[j] = (column[j]! - at) * (column[j]! - at);
    } else {
      for (let j = from; j < column.length; j++) into[j]! += (column[j]! - at) * (column[j]! - at);
    }
  }
}

/** The mean over all pairs of one point of `x` and one of `y`. */
export function meanBetween(x: Points, y: Points, sumRow: RowSum): number {
  const squared = new Float64Array(y.count);
  let sum = 0;
  for (let i = 0; i < x.count; i++) {
    squaredDistances(x, i, y, squared);
    sum += sumRow(squared, 0);
  }
  return sum / x.count / y.count;
}

/** The mean over all pairs of two different points of `x`. */
export function meanWithin(x: Points, sumRow: RowSum): number {
  const squared = new Float64Array(x.count);
  let sum = 0;
  for (let i = 0; i < x.count - 1; i++) {
    squaredDistances(x, i, x, squared, i + 1);
    sum += sumRow(squared, i + 1);
  }
  return (2 * sum) / x.count / (x.count - 1);
}

/**
 * How a mean over pairs within one sample treats a point paired with itself. `unbiased` leaves such pairs out: two
 * samples of one distribution then differ by zero on average, and can differ by less. `biased` keeps them: never
 * negative, and zero for equal samples.
 */
export type Estimator = 'unbiased' | 'biased';

/**
 * The mean over pairs within `x` under an estimator.
 *
 * @param ofItself the function's value for a point and itself
 */
export function meanWithinBy(estimator: Estimator, x: Points, sumRow: RowSum, ofItself: number): number {
  const different = x.count > 1 ? meanWithin(x, sumRow) : 0;
  return estimator === 'unbiased' ? different : different + (ofItself - different) / x.count;
}
