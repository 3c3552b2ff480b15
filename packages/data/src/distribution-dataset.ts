/**
 * A distribution of the plane as a Dataset: every batch is drawn afresh, so there is no epoch and nothing to hold out;
 * the two splits are independent draws.
 */
import { checkBatch, checkCount, type Dataset } from './dataset.js';
import { type Distribution } from './distributions/distribution.js';
import { noNormalisation } from './normalisation.js';

/** The dataset of a distribution; its samples are normalised by construction, so its normalisation is the identity. */
export function distributionDataset(distribution: Distribution): Dataset {
  const { name, classCount, support } = distribution;
  return {
    name,
    featureShape: [2],
    imageShape: undefined,
    columns: ['x', 'y'],
    classCount,
    classNames: Array.from({ length: classCount }, (_, label) => String(label)),
    sizes: undefined,
    normalisation: noNormalisation(2),
    support,
    batch: (key, step, size) => {
      checkBatch(name, step, size);
      return distribution.sampleLabelled(key.fold('batch').fold(step), size);
    },
    reference: (split, key, count) => {
      checkCount(`A reference sample of "${name}"`, count);
      return distribution.sampleLabelled(key.fold('reference').fold(split), count);
    },
  };
}
