/**
 * What samples do about the support of a distribution whose support is known: how many miss it, which of its modes
 * they reach, and how evenly.
 */
import { ArgumentError, type HostArray } from '@meanflow/core';
import { pointsOf } from './points.js';

/** Where a distribution has its mass: modes of equal probability. `@meanflow/data` has it for its distributions. */
export interface Support {
  readonly modeCount: number;
  /** The mode that holds a point, from 0 to modeCount − 1, or −1 when the point is off the support. */
  modeOf(point: ArrayLike<number>): number;
}

/**
 * The share of samples off the support, from 0 to 1.
 *
 * @param samples `[rows, ...features]`, float, in the support's coordinates
 * @throws {ShapeError} when there is no row
 * @throws {DataError} when a value is not finite
 */
export function shareOffSupport(samples: HostArray, support: Support): number {
  return modeCoverage(samples, support).offSupport;
}

/** How samples spread over modes. */
export interface ModeCoverage {
  /** Samples in each mode. */
  readonly counts: readonly number[];
  /** Share of the samples that are in no mode. */
  readonly offSupport: number;
  /** Share of the modes that are covered. */
  readonly covered: number;
  /**
   * Total variation between the modes of the samples on the support and the uniform distribution,
   * ½·Σ|pₘ − 1/modes|, from 0 (even) to 1; 1 where no sample is on the support.
   */
  readonly totalVariation: number;
}

export interface ModeCoverageOptions {
  /** A mode is covered when it receives this part of its fair share of all samples. Default 0.1. */
  readonly fairShare?: number;
}

/**
 * How samples spread over the modes of a support.
 *
 * @param samples `[rows, ...features]`, float, in the support's coordinates
 * @throws {ShapeError} when there is no row
 * @throws {DataError} when a value is not finite
 * @throws {ArgumentError} when `fairShare` is not above 0 and at most 1
 */
export function modeCoverage(
  samples: HostArray,
  support: Support,
  { fairShare = 0.1 }: ModeCoverageOptions = {},
): ModeCoverage {
  if (!(fairShare > 0 && fairShare <= 1)) {
    throw new ArgumentError(`A mode's part of its fair share is above 0 and at most 1, got ${fairShare}.`);
  }
  const { count, dimension } = pointsOf('samples', samples);
  const { modeCount } = support;
  const counts = new Array<number>(modeCount).fill(0);
  for (let row = 0; row < count; row++) {
    const mode = support.modeOf(samples.data.subarray(row * dimension, (row + 1) * dimension));
    if (mode >= 0) counts[mode]!++;
  }
  const on = counts.reduce((sum, inMode) => sum + inMode, 0);
  const deviations = counts.map((inMode) => Math.abs(inMode / on - 1 / modeCount));
  return {
    counts,
    offSupport: (count - on) / count,
    covered: counts.filter((inMode) => inMode * modeCount >= fairShare * count).length / modeCount,
    totalVariation: on === 0 ? 1 : deviations.reduce((sum, deviation) => sum + deviation, 0) / 2,
  };
}
