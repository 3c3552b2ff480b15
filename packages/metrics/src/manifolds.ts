/**
 * Fidelity and diversity apart, by manifolds of nearest neighbours: around each row a ball that reaches to its k-th
 * nearest neighbour in its own set. Precision and recall (Kynkäänniemi, Karras, Laine, Lehtinen and Aila, "Improved
 * precision and recall metric for assessing generative models", NeurIPS 2019, equations 1 and 2) ask how much of one
 * set lies in any ball of the other; density and coverage (Naeem, Oh, Uh, Choi and Yoo, "Reliable fidelity and
 * diversity metrics for generative models", ICML 2020, equations 5 and 7) count balls of the reference only, so that
 * single samples far out do not enlarge a manifold. Exact, quadratic in rows; memory is that of a row of distances.
 */
import { ArgumentError, ShapeError, type HostArray } from '@meanflow/core';
import { squaredDistances } from './pairwise.js';
import { SAMPLES_AND_REFERENCE, pointsOfPair, type Points } from './points.js';

/** All from 0 to 1, but density, which has no upper end and is 1 on average for samples of the reference's distribution. */
export interface PrecisionRecall {
  /** Share of the samples within the reference's manifold. */
  readonly precision: number;
  /** Share of the reference within the samples' manifold. */
  readonly recall: number;
}

export interface DensityCoverage {
  /** Balls of the reference that hold a sample, on average over samples, over k. */
  readonly density: number;
  /** Share of the reference's balls that hold a sample. */
  readonly coverage: number;
}

/** Which neighbour's distance is the radius. */
export interface ManifoldOptions {
  /** Default 3 for precision and recall, 5 for density and coverage, as published. */
  readonly neighbours?: number;
}

/**
 * Precision and recall.
 *
 * @param samples `[rows, ...features]`, float, more rows than `neighbours`
 * @param reference `[other rows, ...features]`, the same
 * @throws {ShapeError} when features differ or there are too few rows
 * @throws {DataError} when a value is not finite
 * @throws {ArgumentError} when `neighbours` is not a positive whole number
 */
export function precisionRecall(
  samples: HostArray,
  reference: HostArray,
  { neighbours = 3 }: ManifoldOptions = {},
): PrecisionRecall {
  const [x, y] = manifoldsOf(samples, reference, neighbours);
  return {
    precision: shareWithin(x, y, squaredRadii(y, neighbours)),
    recall: shareWithin(y, x, squaredRadii(x, neighbours)),
  };
}

/**
 * Density and coverage; parameters and errors as `precisionRecall`.
 */
export function densityCoverage(
  samples: HostArray,
  reference: HostArray,
  { neighbours = 5 }: ManifoldOptions = {},
): DensityCoverage {
  const [x, y] = manifoldsOf(samples, reference, neighbours);
  const radii = squaredRadii(y, neighbours);
  const squared = new Float64Array(x.count);
  let pairs = 0;
  let covered = 0;
  for (let i = 0; i < y.count; i++) {
    squaredDistances(y, i, x, squared);
    let within = 0;
    for (let j = 0; j < squared.length; j++) if (squared[j]! <= radii[i]!) within++;
    pairs += within;
    if (within > 0) covered++;
  }
  return { density: pairs / (neighbours * x.count), coverage: covered / y.count };
}

function manifoldsOf(samples: HostArray, reference: HostArray, neighbours: number): [Points, Points] {
  if (!Number.isSafeInteger(neighbours) || neighbours < 1) {
    throw new ArgumentError(`The number of neighbours is a positive whole number, got ${neighbours}.`);
  }
  const pair = pointsOfPair(SAMPLES_AND_REFERENCE, [samples, reference]);
  const fewest = Math.min(pair[0].count, pair[1].count);
  if (fewest <= neighbours) {
    throw new ShapeError(
      `A manifold of ${neighbours} nearest neighbours needs at least ${neighbours + 1} rows, got ${fewest}.`,
    );
  }
  return pair;
}

/** The share of `points` that lie in a ball around any of `centres`; a ball holds its edge. */
function shareWithin(points: Points, centres: Points, radii: Float64Array): number {
  const squared = new Float64Array(centres.count);
  let within = 0;
  for (let i = 0; i < points.count; i++) {
    squaredDistances(points, i, centres, squared);
    for (let j = 0; j < squared.length; j++) {
      if (squared[j]! <= radii[j]!) {
        within++;
        break;
      }
    }
  }
  return within / points.count;
}

/** The squared distance of each point to its k-th nearest other point. */
function squaredRadii(points: Points, k: number): Float64Array {
  const squared = new Float64Array(points.count);
  const nearest = new Float64Array(k);
  return Float64Array.from({ length: points.count }, (_, i) => {
    squaredDistances(points, i, points, squared);
    nearest.fill(Infinity);
    for (let j = 0; j < squared.length; j++) {
      if (j !== i && squared[j]! < nearest[k - 1]!) insert(nearest, squared[j]!);
    }
    return nearest[k - 1]!;
  });
}

/** Puts a value in its place among ascending ones; the last one leaves. */
function insert(ascending: Float64Array, value: number): void {
  let at = ascending.length - 1;
  for (; at > 0 && ascending[at - 1]! > value; at--) ascending[at] = ascending[at - 1]!;
  ascending[at] = value;
}
