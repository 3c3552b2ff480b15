/**
 * Judging a model: samples at several numbers of network evaluations against data that it has not seen, and the noise floor, which is
 * fresh data against the same data. Everything random follows from a seed, and the noise is the same for every method.
 */
import { RandomKey, type HostArray } from '@meanflow/core';
import type { Batch, Dataset } from '@meanflow/data';
import { findMetric, type Evaluation, type Metric } from '@meanflow/metrics';
import type { ParameterTree, Sampler } from '@meanflow/samplers';
import type { RunConfig } from '../config/schema.js';
import { drawSamples, roundLabels } from './draw.js';
import type { Model } from './model.js';

/** Metrics by name. */
export type Scores = Readonly<Record<string, number>>;

/** A model at one number of evaluations. */
export interface ModelScores {
  /** As the sampler counted it. */
  readonly nfe: number;
  readonly scores: Scores;
  /** Normalised, the order of `roundLabels`. */
  readonly samples: HostArray<'float32'>;
}

/** What samples of one data set are judged by, at one seed. */
export interface Judge {
  /** The metrics that apply to this data set, of those that were asked for. */
  readonly metrics: readonly Metric[];
  readonly floor: Scores;
  score(samples: HostArray, labels: HostArray<'int32'> | undefined): Scores;
}

/** The seed's key for evaluation, the same for every method. */
export function evaluationKey(seed: number): RandomKey {
  return RandomKey.fromSeed(seed).fold('evaluation');
}

/** Draws reference data and computes the noise floor. */
export function createJudge(dataset: Dataset, { evaluation, conditional }: RunConfig, seed: number): Judge {
  const key = evaluationKey(seed);
  const reference = dataset.reference('test', key.fold('reference'), evaluation.samples);
  const fresh = dataset.reference('train', key.fold('floor'), evaluation.samples);
  const training = dataset.sizes && dataset.reference('train', key, dataset.sizes.train).x;
  const evaluationOf = (samples: HostArray, labels: Batch['label']): Evaluation => ({
    samples,
    reference: reference.x,
    ...(conditional && labels && reference.label
      ? { sampleLabels: labels, referenceLabels: reference.label }
      : {}),
    ...(training === undefined ? {} : { training }),
    ...(dataset.support === undefined ? {} : { support: dataset.support }),
  });
  const example = evaluationOf(fresh.x, fresh.label);
  const metrics = evaluation.metrics.map(findMetric).filter((metric) => metric.appliesTo(example));
  const scoresOf = (of: Evaluation, chosen: readonly Metric[] = metrics): Record<string, number> =>
    Object.fromEntries(chosen.map((metric) => [metric.name, metric.evaluate(of, key.fold(metric.name))]));
  // Training rows against themselves would be no floor: there it is held-out rows.
  const againstTraining =
    training === undefined ? [] : metrics.filter(({ comparesWithTraining }) => comparesWithTraining);
  return {
    metrics,
    floor: {
      ...scoresOf(example),
      ...scoresOf(evaluationOf(reference.x, reference.label), againstTraining),
    },
    score: (samples, labels) => scoresOf(evaluationOf(samples, labels)),
  };
}

/** Samples a model at each of `nfe` and scores the samples. */
export async function scoreModel(
  sampler: Sampler<ParameterTree>,
  model: Model,
  judge: Judge,
  { seed, nfe }: { readonly seed: number; readonly nfe: readonly number[] },
): Promise<ModelScores[]> {
  const count = model.config.evaluation.samples;
  const labels = roundLabels(model, count);
  const found: ModelScores[] = [];
  for (const evaluations of nfe) {
    const { samples, nfe: counted } = await drawSamples(sampler, model, {
      count,
      key: evaluationKey(seed),
      labels,
      nfe: evaluations,
    });
    found.push({ nfe: counted, scores: judge.score(samples, labels), samples });
  }
  return found;
}
