/**
 * Fréchet distance between two sets of features, each taken as a Gaussian: ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½)
 * (Dowson and Landau, J. Multivariate Anal. 1982; Heusel et al., "GANs trained by a two time-scale update rule
 * converge to a local Nash equilibrium", NeurIPS 2017, with the features of an Inception network). Here on whatever
 * features it is given. It is the squared distance, as the literature reports it.
 */
import { HostArray, ShapeError } from '@meanflow/core';
import { formatShape, leading } from '@meanflow/core/validation';
import { nuclearNorm } from './nuclear-norm.js';
import { addProducts, type RowBlock } from './products.js';
import { semidefiniteFactor, type SemidefiniteFactor } from './semidefinite-factor.js';
import { SAMPLES_AND_REFERENCE, pointsOf, pointsOfPair, type Points } from './points.js';

/** Mean and covariance of features. */
export interface FeatureStatistics {
  /** float64 `[features]`. */
  readonly mean: HostArray<'float64'>;
  /** float64 `[features, features]`, symmetric, dividing by rows − 1. */
  readonly covariance: HostArray<'float64'>;
}

/**
 * The Fréchet distance between two sets of features, in the square of their unit.
 *
 * @param samples `[rows, ...features]`, float, at least 2 rows; fewer rows than features are no obstacle
 * @param reference `[other rows, ...features]`
 * @throws {ShapeError} when features differ or a set has fewer than 2 rows
 * @throws {DataError} when a value is not finite
 */
export function frechetDistance(samples: HostArray, reference: HostArray): number {
  const [x, y] = pointsOfPair(SAMPLES_AND_REFERENCE, [samples, reference], 2);
  return frechetDistanceOfStatistics(statisticsOf(x), statisticsOf(y));
}

/**
 * Mean and covariance of features, so that those of a large reference need computing once.
 *
 * @param features `[rows, ...features]`, at least 2 rows
 * @throws {ShapeError} when there are fewer than 2 rows
 * @throws {DataError} when a value is not finite
 */
export function featureStatistics(features: HostArray): FeatureStatistics {
  return statisticsOf(pointsOf('features', features, 2));
}

/**
 * The Fréchet distance between two Gaussians.
 *
 * @throws {ShapeError} when the statistics are not of the same number of features
 */
export function frechetDistanceOfStatistics(first: FeatureStatistics, second: FeatureStatistics): number {
  const dimension = first.mean.size;
  const [covariance1, covariance2] = leading(
    [first, second].map((statistics) => checkedCovariance(statistics, dimension)),
    2,
  );
  let distance = 0;
  for (let i = 0; i < dimension; i++) {
    distance += (first.mean.data[i]! - second.mean.data[i]!) ** 2;
    distance += covariance1[i * dimension + i]! + covariance2[i * dimension + i]!;
  }
  distance -= 2 * traceOfRoot(covariance1, covariance2, dimension);
  // Equal statistics leave rounding noise of either sign.
  return Math.max(0, distance);
}

/** tr (Σ₁Σ₂)^½: with Σ = F·Fᵀ, the eigenvalues of Σ₁Σ₂ are the squares of the singular values of F₁ᵀ·F₂. */
function traceOfRoot(covariance1: Float64Array, covariance2: Float64Array, dimension: number): number {
  const factors = [covariance1, covariance2].map((matrix) => semidefiniteFactor(matrix, dimension));
  const [tall, wide] = leading(
    factors.sort((a, b) => b.rank - a.rank),
    2,
  );
  const product = new Float64Array(tall.rank * wide.rank);
  const rows = ({ rank, rows: data }: SemidefiniteFactor): RowBlock => ({
    data,
    rows: rank,
    stride: dimension,
  });
  addProducts({ data: product, rows: tall.rank, stride: wide.rank }, rows(tall), rows(wide), dimension);
  return nuclearNorm(product, tall.rank, wide.rank);
}

function statisticsOf({ count, dimension, columns }: Points): FeatureStatistics {
  const mean = Float64Array.from(columns, (column) => column.reduce((sum, value) => sum + value, 0) / count);
  const centred = new Float64Array(dimension * count);
  columns.forEach((column, i) => centred.set(column.map((value) => value - mean[i]!), i * count)); // prettier-ignore
  const covariance = new Float64Array(dimension * dimension);
  const rows = { data: centred, rows: dimension, stride: count };
  addProducts({ data: covariance, rows: dimension, stride: dimension }, rows, rows, count, { isLower: true });
  for (let i = 0; i < dimension; i++) {
    for (let j = 0; j <= i; j++) {
      const value = covariance[i * dimension + j]! / (count - 1);
      covariance[i * dimension + j] = covariance[j * dimension + i] = value;
    }
  }
  return {
    mean: new HostArray('float64', [dimension], mean),
    covariance: new HostArray('float64', [dimension, dimension], covariance),
  };
}

function checkedCovariance({ mean, covariance }: FeatureStatistics, dimension: number): Float64Array {
  if (mean.size !== dimension || covariance.size !== dimension ** 2) {
    throw new ShapeError(
      `Statistics of ${dimension} features are a mean [${dimension}] and a covariance [${dimension}, ${dimension}], ` +
        `got ${formatShape(mean.shape)} and ${formatShape(covariance.shape)}.`,
    );
  }
  return covariance.data;
}
