/**
 * Energy distance: 2E‖X − Y‖ − E‖X − X′‖ − E‖Y − Y′‖, zero exactly where the distributions are the same (Székely and
 * Rizzo, "Energy statistics: a class of statistics based on distances", J. Stat. Plan. Inference 2013). It has no
 * parameter to choose. This is the difference itself, not its square root.
 */
import { type HostArray } from '@meanflow/core';
import { meanBetween, meanWithinBy, type Estimator, type RowSum } from './pairwise.js';
import { SAMPLES_AND_REFERENCE, pointsOfPair } from './points.js';

export interface EnergyDistanceOptions {
  /** Default `unbiased`: zero on average for two samples of one distribution. */
  readonly estimator?: Estimator;
}

/**
 * Energy distance, in the samples' own unit.
 *
 * @param samples `[rows, ...features]`, float
 * @param reference `[other rows, ...features]`, float
 * @throws {ShapeError} when features differ, or a set has no row (fewer than 2 for the unbiased estimator)
 * @throws {DataError} when a value is not finite
 */
export function energyDistance(
  samples: HostArray,
  reference: HostArray,
  { estimator = 'unbiased' }: EnergyDistanceOptions = {},
): number {
  const [x, y] = pointsOfPair(SAMPLES_AND_REFERENCE, [samples, reference], estimator === 'unbiased' ? 2 : 1);
  const within = meanWithinBy(estimator, x, sumDistances, 0) + meanWithinBy(estimator, y, sumDistances, 0);
  return 2 * meanBetween(x, y, sumDistances) - within;
}

const sumDistances: RowSum = (squared, from) => {
  const { sqrt } = Math;
  let sum = 0;
  for (let j = from; j < squared.length; j++) sum += sqrt(squared[j]!);
  return sum;
};
