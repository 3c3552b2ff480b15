/**
 * A distribution of the plane as a Dataset: every batch is drawn afresh, so there is no epoch and nothing to hold out;
 * the two splits are independent draws.
 */
import type { Dataset } from './dataset.js';
import type { Distribution } from './distributions/distribution.js';
import { drawnDataset } from './drawn-dataset.js';
import { noNormalisation } from './normalisation.js';

/** The dataset of a distribution; its samples are normalised by construction, so its normalisation is the identity. */
export function distributionDataset(distribution: Distribution): Dataset {
  const { name, classCount, support } = distribution;
  return drawnDataset({
    name,
    featureShape: [2],
    columns: ['x', 'y'],
    classNames: Array.from({ length: classCount }, (_, label) => String(label)),
    normalisation: noNormalisation(2),
    support,
    sample: (key, count) => distribution.sampleLabelled(key, count),
  });
}
