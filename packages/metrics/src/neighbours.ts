/**
 * Nearest neighbours: of which known row does a sample remind one? The neighbour's label tells whether a
 * class-conditional sample shows the class it was asked for, and its distance whether a model merely repeats what it
 * learnt from. Exact search, by Euclidean distance on the features as they are.
 */
import { ArgumentError, ShapeError, type HostArray } from '@meanflow/core';
import { formatShape } from '@meanflow/core/validation';
import { squaredDistances } from './pairwise.js';
import { pointsOfPair } from './points.js';

/** The nearest row of each query. */
export interface Neighbours {
  /** `[queries]`, the first of equally near rows. */
  readonly indices: Int32Array;
  /** `[queries]`, Euclidean. */
  readonly distances: Float64Array;
}

/**
 * The nearest of `rows` to each of `queries`.
 *
 * @param queries `[queries, ...features]`, float
 * @param rows `[rows, ...features]`, float
 * @throws {ShapeError} when features differ or a set is empty
 * @throws {DataError} when a value is not finite
 */
export function nearestNeighbours(queries: HostArray, rows: HostArray): Neighbours {
  const [x, y] = pointsOfPair(['queries', 'rows to search'], [queries, rows]);
  const squared = new Float64Array(y.count);
  const indices = new Int32Array(x.count);
  const distances = new Float64Array(x.count);
  for (let i = 0; i < x.count; i++) {
    squaredDistances(x, i, y, squared);
    let nearest = 0;
    for (let j = 1; j < squared.length; j++) if (squared[j]! < squared[nearest]!) nearest = j;
    indices[i] = nearest;
    distances[i] = Math.sqrt(squared[nearest]!);
  }
  return { indices, distances };
}

/**
 * The share of samples whose nearest reference row has the sample's own label, from 0 to 1.
 *
 * @param samples `[rows, ...features]`, float
 * @param sampleLabels int32 `[rows]`: the class that each was asked for
 * @param reference `[other rows, ...features]`, float
 * @param referenceLabels int32 `[other rows]`
 * @throws {ShapeError} when features differ, a set is empty, or there is not one label for each row
 * @throws {DataError} when a value is not finite
 */
export function neighbourLabelAgreement(
  samples: HostArray,
  sampleLabels: HostArray<'int32'>,
  reference: HostArray,
  referenceLabels: HostArray<'int32'>,
): number {
  checkLabels('samples', samples, sampleLabels);
  checkLabels('reference samples', reference, referenceLabels);
  const { indices } = nearestNeighbours(samples, reference);
  const agreeing = indices.filter((row, i) => referenceLabels.data[row] === sampleLabels.data[i]);
  return agreeing.length / indices.length;
}

/**
 * The mean distance from a sample to the nearest row, in the features' own unit.
 *
 * @param samples `[rows, ...features]`, float
 * @param rows `[other rows, ...features]`, float
 * @throws {ShapeError} when features differ or a set is empty
 * @throws {DataError} when a value is not finite
 */
export function meanNeighbourDistance(samples: HostArray, rows: HostArray): number {
  const { distances } = nearestNeighbours(samples, rows);
  return distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
}

/**
 * Memorising: the mean distance from samples to the nearest training row, over the same of held-out rows. About 1
 * where samples are as new as held-out data; towards 0 where they repeat the training rows; above 1 where they lie
 * away from the data.
 *
 * @param samples `[rows, ...features]`, float
 * @param training `[training rows, ...features]`: what the model learnt from
 * @param heldOut `[held-out rows, ...features]`: what it did not
 * @throws {ShapeError} when features differ or a set is empty
 * @throws {DataError} when a value is not finite
 * @throws {ArgumentError} when every held-out row is also a training row
 */
export function neighbourDistanceRatio(samples: HostArray, training: HostArray, heldOut: HostArray): number {
  const ofHeldOut = meanNeighbourDistance(heldOut, training);
  if (ofHeldOut === 0) {
    throw new ArgumentError(
      'Every held-out row is also a training row: there is no distance to compare with.',
    );
  }
  return meanNeighbourDistance(samples, training) / ofHeldOut;
}

function checkLabels(name: string, rows: HostArray, labels: HostArray<'int32'>): void {
  if (labels.shape.length !== 1 || labels.size !== rows.shape[0]) {
    throw new ShapeError(
      `The ${name} are ${formatShape(rows.shape)} with labels ${formatShape(labels.shape)}, expected a label per row.`,
    );
  }
}
