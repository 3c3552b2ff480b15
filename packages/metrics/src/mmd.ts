/**
 * Squared maximum mean discrepancy with a Gaussian kernel: E k(X, X′) + E k(Y, Y′) − 2E k(X, Y) with
 * k(x, y) = exp(−‖x − y‖²/(2σ²)) (Gretton, Borgwardt, Rasch, Schölkopf and Smola, "A kernel two-sample test", JMLR
 * 2012, equations 2 to 5). The bandwidth σ says at what distance two points stop being alike: differences much finer
 * or much coarser than it are not seen.
 */
import { ArgumentError, RandomKey, type HostArray } from '@meanflow/core';
import { meanBetween, meanWithinBy, squaredDistances, type Estimator, type RowSum } from './pairwise.js';
import { SAMPLES_AND_REFERENCE, pointsOf, pointsOfPair } from './points.js';

/**
 * Exponents below this are those of kernels that count as 0: the sum of 10¹⁰ of them is less than 10⁻⁹ of one. Most pairs of points
 * are so far apart, and an exponential costs more than all else of a pair.
 */
const NEGLIGIBLE = -45;

export interface MmdOptions {
  /** σ of the kernel, in the samples' own unit. */
  readonly bandwidth: number;
  /** Default `unbiased`: zero on average for two samples of one distribution. */
  readonly estimator?: Estimator;
}

/**
 * MMD², from 0 (the same) to 2, without unit; the unbiased estimate of a small one can be below 0.
 *
 * @param samples `[rows, ...features]`, float
 * @param reference `[other rows, ...features]`, float
 * @throws {ShapeError} when features differ, or a set has no row (fewer than 2 for the unbiased estimator)
 * @throws {DataError} when a value is not finite
 * @throws {ArgumentError} when the bandwidth is not positive and finite
 */
export function mmdSquared(
  samples: HostArray,
  reference: HostArray,
  { bandwidth, estimator = 'unbiased' }: MmdOptions,
): number {
  if (!(bandwidth > 0 && bandwidth < Infinity)) {
    throw new ArgumentError(`The bandwidth of MMD is a positive number, got ${bandwidth}.`);
  }
  const [x, y] = pointsOfPair(SAMPLES_AND_REFERENCE, [samples, reference], estimator === 'unbiased' ? 2 : 1);
  const exponent = -1 / (2 * bandwidth ** 2);
  const sumKernel: RowSum = (squared, from) => {
    const { exp } = Math;
    let sum = 0;
    for (let j = from; j < squared.length; j++) {
      const power = exponent * squared[j]!;
      if (power > NEGLIGIBLE) sum += exp(power);
    }
    return sum;
  };
  const within = meanWithinBy(estimator, x, sumKernel, 1) + meanWithinBy(estimator, y, sumKernel, 1);
  return within - 2 * meanBetween(x, y, sumKernel);
}

/** As many points are enough for the median distance to be steady. */
const MEDIAN_POINTS = 1000;

/**
 * The median distance between two points of a set: the usual bandwidth where no length scale is known (Gretton et al.
 * 2012, section 8). Of more than 1,000 points, 1,000 are chosen.
 *
 * @param reference `[rows, ...features]`, at least 2 rows
 * @param key chooses the points
 * @throws {ShapeError} when there are fewer than 2 rows
 * @throws {DataError} when a value is not finite
 * @throws {ArgumentError} when so many points are equal that the median is 0
 */
export function medianDistance(reference: HostArray, key: RandomKey = RandomKey.fromSeed(0)): number {
  const all = pointsOf('reference samples', reference, 2);
  const chosen = key.fold('median').permutation(all.count).subarray(0, MEDIAN_POINTS);
  const points = {
    ...all,
    count: chosen.length,
    columns: all.columns.map((column) => Float64Array.from(chosen, (row) => column[row]!)),
  };
  const pairs = new Float64Array((points.count * (points.count - 1)) / 2);
  const squared = new Float64Array(points.count);
  for (let i = 0, next = 0; i < points.count - 1; i++) {
    squaredDistances(points, i, points, squared, i + 1);
    pairs.set(squared.subarray(i + 1), next);
    next += points.count - 1 - i;
  }
  const median = Math.sqrt(pairs.sort()[pairs.length >> 1]!);
  if (median === 0)
    throw new ArgumentError(
      'More than half of the pairs of reference samples are equal: their median distance is 0.',
    );
  return median;
}
