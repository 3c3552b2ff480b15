/**
 * Mean and covariance of features that arrive in parts, in one pass and in float64, so that the statistics of 50,000
 * images need the memory of one batch and one matrix. Two parts are joined without loss (Chan, Golub and LeVeque,
 * "Updating formulae and a pairwise algorithm for computing sample variances", 1979): the sums of products about their
 * own means, and the product of the difference of the means.
 */
import { ArgumentError, HostArray, ShapeError } from '@meanflow/core';
import { formatShape } from '@meanflow/core/validation';
import type { FeatureStatistics } from './frechet.js';
import { pointsOf } from './points.js';
import { addProducts } from './products.js';

/** Collects the statistics of features. */
export class FeatureAccumulator {
  private rows = 0;
  private readonly mean: Float64Array;
  /** `[featureCount, featureCount]`, of which the lower triangle holds the sums of products about the mean. */
  private readonly products: Float64Array;

  /** @throws {ArgumentError} when the number of features is not a positive whole number */
  constructor(readonly featureCount: number) {
    if (!Number.isSafeInteger(featureCount) || featureCount < 1) {
      throw new ArgumentError(`The number of features is a positive whole number, got ${featureCount}.`);
    }
    this.mean = new Float64Array(featureCount);
    this.products = new Float64Array(featureCount * featureCount);
  }

  /** Rows seen so far. */
  get count(): number {
    return this.rows;
  }

  /**
   * Takes rows in.
   *
   * @param features `[rows, featureCount]`, float
   * @throws {ShapeError} when there is no row, or another number of features
   * @throws {DataError} when a value is not finite; nothing is taken in then
   */
  add(features: HostArray): this {
    const { count, dimension, columns } = pointsOf('features', features);
    if (dimension !== this.featureCount) {
      throw new ShapeError(
        `Statistics of ${this.featureCount} features take [rows, ${this.featureCount}], got ${formatShape(features.shape)}.`,
      );
    }
    const mean = Float64Array.from(
      columns,
      (column) => column.reduce((sum, value) => sum + value, 0) / count,
    );
    const centred = new Float64Array(dimension * count);
    columns.forEach((column, i) => centred.set(column.map((value) => value - mean[i]!), i * count)); // prettier-ignore
    const rows = { data: centred, rows: dimension, stride: count };
    const into = { data: this.products, rows: dimension, stride: dimension };
    addProducts(into, rows, rows, count, { isLower: true });
    this.shift(count, mean);
    return this;
  }

  /**
   * Takes in all that another has seen.
   *
   * @throws {ShapeError} when it has another number of features
   */
  merge(other: FeatureAccumulator): this {
    if (other.featureCount !== this.featureCount) {
      throw new ShapeError(
        `Statistics of ${this.featureCount} features cannot take in those of ${other.featureCount}.`,
      );
    }
    if (other.rows === 0) return this;
    for (let i = 0; i < this.products.length; i++) this.products[i]! += other.products[i]!;
    this.shift(other.rows, other.mean);
    return this;
  }

  /**
   * The statistics of all rows.
   *
   * @throws {ShapeError} when there are fewer than 2 rows
   */
  statistics(): FeatureStatistics {
    const { featureCount: dimension, rows } = this;
    if (rows < 2) throw new ShapeError(`A covariance needs at least 2 rows of features, got ${rows}.`);
    const covariance = new Float64Array(dimension * dimension);
    for (let i = 0; i < dimension; i++) {
      for (let j = 0; j <= i; j++) {
        const value = this.products[i * dimension + j]! / (rows - 1);
        covariance[i * dimension + j] = covariance[j * dimension + i] = value;
      }
    }
    return {
      mean: new HostArray('float64', [dimension], this.mean.slice()),
      covariance: new HostArray('float64', [dimension, dimension], covariance),
    };
  }

  /** Joins the means, and adds the product of their difference. */
  private shift(count: number, mean: Float64Array): void {
    const total = this.rows + count;
    const difference = mean.map((value, i) => value - this.mean[i]!);
    const weight = (this.rows * count) / total;
    for (let i = 0; i < difference.length; i++) {
      const scaled = weight * difference[i]!;
      const at = i * difference.length;
      for (let j = 0; j <= i; j++) this.products[at + j]! += scaled * difference[j]!;
      this.mean[i]! += (difference[i]! * count) / total;
    }
    this.rows = total;
  }
}
