/**
 * Fréchet distance between two sets of features, each taken as a Gaussian: ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½)
 * (Dowson and Landau, J. Multivariate Anal. 1982; Heusel et al., "GANs trained by a two time-scale update rule
 * converge to a local Nash equilibrium", NeurIPS 2017, with the features of an Inception network). Here on whatever
 * features it is given. It is the squared distance, as the literature reports it.
 */
import { HostArray, ShapeError, formatShape } from '@meanflow/core';
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
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
  const [covariance1, covariance2] = [first, second].map((statistics) =>
    symmetricMatrix(statistics, dimension),
  );
  let distance = 0;
  for (let i = 0; i < dimension; i++) distance += (first.mean.data[i] - second.mean.data[i]) ** 2;

  // With Σ₁ = SSᵀ, the eigenvalues of Σ₁Σ₂ are those of SᵀΣ₂S, which is symmetric and so has real ones to rounding.
  const { values, vectors } = eigen(covariance1);
  const root = vectors.mulRowVector(values.map(Math.sqrt));
  const product = root.transpose().mmul(covariance2).mmul(root);
  const traceOfRoot = eigen(product).values.reduce((sum, value) => sum + Math.sqrt(value), 0);
  distance += covariance1.trace() + covariance2.trace() - 2 * traceOfRoot;
  // Equal statistics leave rounding noise of either sign.
  return Math.max(0, distance);
}

/** Eigenvalues and eigenvectors (in columns) of a matrix that is symmetric and without negative eigenvalues. */
function eigen(matrix: Matrix): { values: number[]; vectors: Matrix } {
  const decomposition = new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
  const values = decomposition.realEigenvalues;
  // Where the rank is deficient, what stands for zero is rounding noise, whose root would be half as many digits.
  const noise = values.length * Number.EPSILON * Math.max(...values.map(Math.abs));
  return {
    values: values.map((value) => (value > noise ? value : 0)),
    vectors: decomposition.eigenvectorMatrix,
  };
}

function statisticsOf({ count, dimension, columns }: Points): FeatureStatistics {
  const mean = Float64Array.from(columns, (column) => column.reduce((sum, value) => sum + value, 0) / count);
  const centred = columns.map((column, i) => column.map((value) => value - mean[i]));
  const covariance = new Float64Array(dimension * dimension);
  for (let i = 0; i < dimension; i++) {
    for (let j = 0; j <= i; j++) {
      const [a, b] = [centred[i], centred[j]];
      let sum = 0;
      for (let row = 0; row < count; row++) sum += a[row] * b[row];
      covariance[i * dimension + j] = covariance[j * dimension + i] = sum / (count - 1);
    }
  }
  return {
    mean: new HostArray('float64', [dimension], mean),
    covariance: new HostArray('float64', [dimension, dimension], covariance),
  };
}

function symmetricMatrix({ mean, covariance }: FeatureStatistics, dimension: number): Matrix {
  if (mean.size !== dimension || covariance.size !== dimension ** 2) {
    throw new ShapeError(
      `Statistics of ${dimension} features are a mean [${dimension}] and a covariance [${dimension}, ${dimension}], ` +
        `got ${formatShape(mean.shape)} and ${formatShape(covariance.shape)}.`,
    );
  }
  return Matrix.from1DArray(dimension, dimension, covariance.data);
}
