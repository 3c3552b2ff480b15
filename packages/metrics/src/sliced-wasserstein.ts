/**
 * Sliced Wasserstein-2 distance: how far mass must be moved, seen along lines. SW₂² is the mean over directions θ on
 * the unit sphere of W₂² between the projections onto θ (Bonneel, Rabin, Peyré and Pfister, "Sliced and Radon
 * Wasserstein barycenters of measures", JMIV 2015), and in one dimension W₂² compares quantile by quantile, exactly.
 */
import { ArgumentError, RandomKey, ShapeError, type HostArray } from '@meanflow/core';
import { formatShape, leading } from '@meanflow/core/validation';
import { SAMPLES_AND_REFERENCE, pointsOfPair, type Points } from './points.js';

export interface SlicedWassersteinOptions {
  /** How many random directions. Default 128: on points of the plane SW₂ is then known to about a percent. */
  readonly projections?: number;
  /** Draws the directions; the same key gives the same ones whatever the samples are. Default: seed 0. */
  readonly key?: RandomKey;
  /** The directions themselves, `[projections, features]`, instead of random ones; of any length but zero. */
  readonly directions?: HostArray;
}

/**
 * SW₂ = √(mean over θ of W₂²(θ·x, θ·y)), in the samples' own unit.
 *
 * @param samples `[rows, ...features]`, float
 * @param reference `[other rows, ...features]`, float; the numbers of rows may differ
 * @throws {ShapeError} when features differ or a set is empty
 * @throws {DataError} when a value is not finite
 * @throws {ArgumentError} when there are no projections
 */
export function slicedWasserstein2(
  samples: HostArray,
  reference: HostArray,
  options: SlicedWassersteinOptions = {},
): number {
  const [x, y] = pointsOfPair(SAMPLES_AND_REFERENCE, [samples, reference]);
  const directions = options.directions ?? randomDirections(x.dimension, options);
  if (directions.shape.length !== 2 || directions.shape[0]! < 1 || directions.shape[1] !== x.dimension) {
    throw new ShapeError(
      `Directions are [projections, ${x.dimension}], got ${formatShape(directions.shape)}.`,
    );
  }
  const [count, dimension] = leading(directions.shape, 2);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const direction = unitVector(directions.data.subarray(i * dimension, (i + 1) * dimension));
    sum += sortedWasserstein2Squared(project(x, direction).sort(), project(y, direction).sort());
  }
  return Math.sqrt(sum / count);
}

/**
 * W₂² of two samples of the line: ∫₀¹ (F⁻¹(q) − G⁻¹(q))² dq over their quantile functions, exact for any two counts.
 *
 * @param x ascending
 * @param y ascending
 */
export function sortedWasserstein2Squared(x: Float64Array, y: Float64Array): number {
  // Quantiles in units of 1/(n·m) are whole numbers: point i of n ends at (i + 1)·m.
  let sum = 0;
  let at = 0;
  for (let i = 0, j = 0; i < x.length && j < y.length;) {
    const endOfX = (i + 1) * y.length;
    const endOfY = (j + 1) * x.length;
    const end = endOfX < endOfY ? endOfX : endOfY;
    sum += (end - at) * (x[i]! - y[j]!) * (x[i]! - y[j]!);
    at = end;
    if (endOfX === end) i++;
    if (endOfY === end) j++;
  }
  return sum / x.length / y.length;
}

/** Uniform on the sphere: a normal vector's direction. */
function randomDirections(dimension: number, options: SlicedWassersteinOptions): HostArray {
  const { projections = 128, key = RandomKey.fromSeed(0) } = options;
  if (!Number.isSafeInteger(projections) || projections < 1) {
    throw new ArgumentError(
      `A sliced distance needs a positive whole number of projections, got ${projections}.`,
    );
  }
  return key.fold('projections').normal([projections, dimension]);
}

function unitVector(direction: ArrayLike<number>): Float64Array {
  const unit = Float64Array.from(direction);
  const length = Math.sqrt(unit.reduce((sum, component) => sum + component ** 2, 0));
  if (!(length > 0 && length < Infinity))
    throw new ArgumentError(`A direction has a length, got [${unit.join(', ')}].`);
  return unit.map((component) => component / length);
}

function project({ count, columns }: Points, direction: Float64Array): Float64Array {
  const projected = new Float64Array(count);
  columns.forEach((column, feature) => {
    const weight = direction[feature]!;
    for (let i = 0; i < count; i++) projected[i]! += weight * column[i]!;
  });
  return projected;
}
