/**
 * What metrics on features read: the features of samples, of the reference, and of the training rows where these are a
 * finite set, as FID is measured against them. The reference's are computed once.
 */
import { RandomKey, type HostArray, type CancellationSignal } from '@meanflow/core';
import type { Dataset } from '@meanflow/data';
import {
  FeatureAccumulator,
  featureStatistics,
  metrics,
  type Evaluation,
  type FeatureExtractor,
  type FeatureStatistics,
  type Metric,
} from '@meanflow/metrics';

/** Training rows at most, as many as FID takes samples. */
const MOST_ROWS = 50_000;
/** Rows that are in memory at once. */
const ROWS = 500;

type FeatureField = 'sampleFeatures' | 'sampleLogits' | 'referenceFeatures' | 'referenceStatistics';

/** The fields of an evaluation that an extractor fills. */
export function featuresOf({ hasLogits }: FeatureExtractor): readonly FeatureField[] {
  const features = ['sampleFeatures', 'referenceFeatures', 'referenceStatistics'] as const;
  return hasLogits ? [...features, 'sampleLogits'] : features;
}

/** Whether a metric looks at what an extractor makes of images. */
export function readsFeatures({ reads }: Metric): boolean {
  return reads.some((field) => field === 'sampleFeatures' || field === 'sampleLogits');
}

/** The names of those that do. */
export function featureMetricsAmong(names: readonly string[]): readonly string[] {
  return names.filter((name) => readsFeatures(metrics.get(name)));
}

/** Adds features to evaluations of the same reference. */
export class ExtractedEvaluation {
  private reference: Promise<Pick<Evaluation, 'referenceFeatures' | 'referenceStatistics'>> | undefined;

  constructor(
    private readonly extractor: FeatureExtractor,
    private readonly dataset: Dataset,
    private readonly images: HostArray,
  ) {}

  /** @throws the signal's reason when it is aborted */
  async complete(plain: Evaluation, signal: CancellationSignal | undefined): Promise<Evaluation> {
    const { features, logits } = await this.extractor.extract(plain.samples);
    signal?.throwIfAborted();
    return {
      ...plain,
      sampleFeatures: features,
      ...(logits === undefined ? {} : { sampleLogits: logits }),
      ...(await (this.reference ??= this.ofReference())),
    };
  }

  private async ofReference(): Promise<Pick<Evaluation, 'referenceFeatures' | 'referenceStatistics'>> {
    const { features } = await this.extractor.extract(this.images);
    const referenceStatistics =
      this.dataset.sizes === undefined
        ? featureStatistics(features)
        : await statisticsOfTraining(this.extractor, this.dataset);
    return { referenceFeatures: features, referenceStatistics };
  }
}

/**
 * Statistics of the features of training images, in one pass and with bounded memory: of all of them, or of `most`.
 *
 * @param most 50,000 by default; needed of data that are drawn afresh and never end
 */
export async function statisticsOfTraining(
  extractor: FeatureExtractor,
  dataset: Dataset,
  most = MOST_ROWS,
): Promise<FeatureStatistics> {
  const total = Math.min(most, dataset.sizes?.train ?? most);
  const size = Math.min(ROWS, total);
  const key = RandomKey.fromSeed(0).fold('statistics');
  let accumulator: FeatureAccumulator | undefined;
  for (let step = 0; step * size < total; step++) {
    // An epoch visits each row once; what a last batch holds beyond it belongs to the next.
    const { x } = dataset.batch(key, step, size);
    const { features } = await extractor.extract(x.rows(0, Math.min(size, total - step * size)));
    accumulator ??= new FeatureAccumulator(features.shape[1]!);
    accumulator.add(features);
  }
  if (accumulator === undefined) throw new Error('Internal: statistics of no rows.');
  return accumulator.statistics();
}
