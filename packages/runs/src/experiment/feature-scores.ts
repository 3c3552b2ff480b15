/**
 * Scores of samples by the features of an extractor alone: the images pass by piece by piece and only their features are kept, or,
 * where nothing but a Fréchet distance is asked for, only the statistics of these.
 */
import { ArgumentError, HostArray, RandomKey } from '@meanflow/core';
import type { Dataset } from '@meanflow/data';
import {
  FeatureAccumulator,
  metrics,
  frechetDistanceOfStatistics,
  type Evaluation,
  type FeatureExtractor,
  type FeatureStatistics,
} from '@meanflow/metrics';
import type { Scores } from './evaluation.js';
import { statisticsOfTraining } from './features.js';
import type { SamplePiece } from './sample-stream.js';

/** What features are compared with: statistics, and features where there is data. */
export interface FeatureReference extends Pick<Evaluation, 'referenceFeatures' | 'referenceLabels'> {
  readonly referenceStatistics: FeatureStatistics;
}

/** The reference of data: statistics of its training rows, or of `count` fresh ones; features of `count` rows held out. */
export async function referenceOf(
  extractor: FeatureExtractor,
  dataset: Dataset,
  count: number,
): Promise<FeatureReference> {
  const { x, label } = dataset.reference('test', RandomKey.fromSeed(0).fold('reference'), count);
  const { features } = await extractor.extract(x);
  return {
    referenceStatistics: await statisticsOfTraining(
      extractor,
      dataset,
      dataset.sizes === undefined ? count : undefined,
    ),
    referenceFeatures: features,
    ...(label === undefined ? {} : { referenceLabels: label }),
  };
}

/** @throws {ArgumentError} when a metric reads what is not there; the message says which */
export function checkReadable(names: readonly string[], available: ReadonlySet<string>): void {
  for (const name of names) {
    const missing =
      name === 'feature-frechet' ? [] : metrics.get(name).reads.filter((field) => !available.has(field));
    if (missing.length === 0) continue;
    throw new ArgumentError(
      `The metric "${name}" cannot be had from ONNX features here: ${missing.map((field) => reasons[field] ?? field).join('; ')}.`,
    );
  }
}

const reasons: Readonly<Record<string, string>> = {
  sampleLogits: "it reads a classifier's logits (--logits-output)",
  sampleLabels: 'it reads the classes that samples were asked for',
  referenceFeatures: 'it reads images of the data (--data), not statistics alone',
  referenceLabels: 'it reads classes of the data',
  training: 'it reads pixels of the data',
  support: 'it reads points of the plane',
};

/** Metrics by name of samples that pass by, and how many network evaluations each took. */
export async function scoreFeatures(
  pieces: AsyncIterable<SamplePiece>,
  extractor: FeatureExtractor,
  reference: FeatureReference,
  names: readonly string[],
): Promise<{ readonly scores: Scores; readonly count: number; readonly nfe: number | undefined }> {
  const keepsFeatures = names.some((name) => name !== 'feature-frechet');
  const kept: {
    features: HostArray<'float32'>[];
    logits: HostArray<'float32'>[];
    labels: HostArray<'int32'>[];
  } = {
    features: [],
    logits: [],
    labels: [],
  };
  let accumulator: FeatureAccumulator | undefined;
  let nfe: number | undefined;
  for await (const piece of pieces) {
    const { features, logits } = await extractor.extract(piece.samples);
    accumulator ??= new FeatureAccumulator(features.shape[1]!);
    accumulator.add(features);
    nfe = piece.nfe;
    if (!keepsFeatures) continue;
    kept.features.push(features);
    if (logits !== undefined) kept.logits.push(logits);
    if (piece.labels !== undefined) kept.labels.push(piece.labels);
  }
  if (accumulator === undefined) throw new ArgumentError('There are no samples to score.');
  const evaluation: Evaluation = {
    samples: new HostArray('float32', [0], new Float32Array()),
    reference: new HostArray('float32', [0], new Float32Array()),
    ...reference,
    ...(kept.features.length === 0 ? {} : { sampleFeatures: HostArray.joinRows(kept.features) }),
    ...(kept.logits.length === 0 ? {} : { sampleLogits: HostArray.joinRows(kept.logits) }),
    ...(kept.labels.length === 0 ? {} : { sampleLabels: HostArray.joinRows(kept.labels) }),
  };
  const scores: Record<string, number> = {};
  const statistics = accumulator.statistics();
  for (const name of names) {
    scores[name] =
      name === 'feature-frechet'
        ? frechetDistanceOfStatistics(statistics, reference.referenceStatistics)
        : metrics.get(name).evaluate(evaluation, RandomKey.fromSeed(0).fold(name));
  }
  return { scores, count: accumulator.count, nfe };
}
