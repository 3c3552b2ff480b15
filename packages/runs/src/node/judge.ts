/** Judging a model that was trained here against data that it was not trained on, at several numbers of network evaluations. */
import type { Classifier } from '@meanflow/classifier';
import { ArgumentError, type Backend, type CancellationSignal } from '@meanflow/core';
import { quoted } from '@meanflow/core/validation';
import type { Dataset } from '@meanflow/data';
import { metrics, type Metric } from '@meanflow/metrics';
import { createSampler } from '@meanflow/samplers';
import type { Progress } from '@meanflow/training';
import { withBackend } from '../backends.js';
import type { RunConfig } from '../config/schema.js';
import {
  checkClassifiable,
  classifierOf,
  namedClassifier,
  withClassifier,
  type ClassifierWork,
  type JudgingClassifier,
} from '../experiment/classifier.js';
import { located, withPlacesOfRun } from '../experiment/data-place.js';
import {
  createJudge,
  scoreModel,
  type Judge,
  type ModelScores,
  type Scores,
} from '../experiment/evaluation.js';
import { featureMetricsAmong } from '../experiment/features.js';
import { withGuidance } from '../experiment/guidance.js';
import { checkFiniteParameters, type Generator, type Model } from '../experiment/model.js';
import { loadModel, type LoadOptions } from '../experiment/load-model.js';
import { openJudgedDataOf } from '../experiment/resolve.js';
import { stepsFor } from '../experiment/solvers.js';
import { checkPlugins } from '../plugins/recorded.js';

/** How a model is judged; what is not said is the run's own. */
export interface JudgeOptions extends LoadOptions {
  /** What to compute on, which stays open, or its name; ort:cpu by default. */
  readonly backend?: Backend | string | undefined;
  /** Network evaluations for each sample, each of which is judged. */
  readonly nfe?: readonly number[] | undefined;
  /** How many samples to draw. */
  readonly samples?: number | undefined;
  readonly metrics?: readonly string[] | undefined;
  /** Of the noise and of the reference data; 0 by default. */
  readonly seed?: number | undefined;
  /** Guidance scales, each of which is judged, where the model was trained for guidance. */
  readonly guidance?: readonly number[] | undefined;
  readonly guidanceInterval?: readonly [number, number] | undefined;
  /** How often samples have each class: as the data has it (the default), or all alike. */
  readonly labels?: 'data' | 'uniform' | undefined;
  /** File of the classifier that judges images; by default it is trained once and kept in the cache. */
  readonly classifier?: string | undefined;
  /** Where the run's data are now. */
  readonly data?: string | undefined;
  /** Told what is judged, before anything is computed. */
  readonly onModel?: (model: Model, dataset: Dataset) => void;
  /** Of the classifier's training. */
  readonly onProgress?: (progress: Progress) => void;
  /** Told of the classifier. */
  readonly onNotice?: (sentence: string) => void;
  readonly signal?: CancellationSignal;
}

/** Scores at one number of evaluations, and at one guidance scale where several were asked for. */
export interface JudgedRow extends ModelScores {
  readonly guidance: number | undefined;
}

/** What came of it. */
export interface Judgement {
  readonly model: Model;
  readonly dataset: Dataset;
  /** The metrics that apply, of those that were asked for. */
  readonly metrics: readonly Metric[];
  readonly rows: readonly JudgedRow[];
  /** The noise floor: what fresh data scores against the same data. */
  readonly floor: Scores;
  /** What judged images, where a metric needs a classifier. */
  readonly classifier: JudgingClassifier | undefined;
}

/**
 * Judges a run.
 *
 * @param path a run's folder, a checkpoint of one, or a model that was saved alone
 * @throws {ArgumentError} when a metric is unknown or does not apply, or evaluations are no whole number of steps
 * @throws {DataError} when the model or its data are missing, damaged or others
 */
export async function judge(path: string, options: JudgeOptions): Promise<Judgement> {
  options.metrics?.forEach((name) => metrics.get(name));
  const model = withChanges((await loadModel(path, options)).model, options);
  checkFiniteParameters(model.params, `"${path}"`);
  const { config } = model;
  const scales = options.guidance ?? [undefined];
  const [first = model, ...others] = scales.map((scale) =>
    withGuidance(model, undefined, { guidance: scale, guidanceInterval: options.guidanceInterval }),
  );
  const nfe = options.nfe ?? possibleEvaluations(first);
  nfe.forEach((evaluations) => checkEvaluations(first, evaluations));
  if (options.metrics === undefined) checkPlugins(config, quoted(path), ['metrics']);
  const dataset = await openJudgedDataOf(
    await located(await withPlacesOfRun(config, path), path, options.data),
  );
  options.onModel?.(model, dataset);
  return withBackend(options.backend, (backend) =>
    judged(backend, [first, ...others], nfe, dataset, options),
  );
}

/** @param guided the model, at each guidance scale */
async function judged(
  backend: Backend,
  guided: readonly [Model, ...Model[]],
  nfe: readonly number[],
  dataset: Dataset,
  options: JudgeOptions,
): Promise<Judgement> {
  const { seed = 0, signal, onProgress, onNotice } = options;
  const [model] = guided;
  const { config, network } = model;
  const work = {
    backend,
    signal,
    onNotice: (sentence: string) => onNotice?.(sentence),
    ...(onProgress && { onProgress }),
  };
  const classifier = await judgingClassifier(dataset, config, options.classifier, work);
  signal?.throwIfAborted();
  const scores = await withJudging(classifier, backend, async (extractor) => {
    const judge = createJudge(dataset, config, seed, extractor);
    checkApplicable(judge, options.metrics ?? []);
    await using sampler = createSampler(backend, network, { params: model.params, borrow: true });
    const rows: JudgedRow[] = [];
    for (const each of guided) {
      const even = options.labels === 'uniform';
      const scored = await scoreModel(sampler, each, judge, { seed, nfe, even, signal });
      const guidance = options.guidance && each.sampling.guidance?.scale;
      rows.push(...scored.map((row) => ({ ...row, guidance })));
    }
    return { metrics: judge.metrics, rows, floor: await judge.floor(signal) };
  });
  return { model, dataset, classifier, ...scores };
}

/** What the options change of the run's own settings for evaluation. */
function withChanges(model: Model, { samples, metrics, guidance, classifier }: JudgeOptions): Model {
  const own = model.config.evaluation;
  const isOfClasses = model.data.imageShape !== undefined && model.data.classNames !== undefined;
  // What guidance is for shows in these.
  const added =
    (guidance ?? classifier) !== undefined && isOfClasses ? ['class-accuracy', 'feature-frechet'] : [];
  const evaluation = {
    ...own,
    samples: samples ?? own.samples,
    metrics: [...(metrics ?? [...new Set([...own.metrics, ...added])])],
  };
  return { ...model, config: { ...model.config, evaluation } };
}

/** The run's own numbers of evaluations; under guidance that takes two for a step, those that are whole steps. */
function possibleEvaluations({ sampling, guidance }: Generator): readonly number[] {
  const isDoubled = sampling.guidance !== undefined && guidance === 'classifier-free';
  const possible = sampling.nfe.filter((nfe) => !isDoubled || nfe % 2 === 0);
  return possible.length === 0 ? sampling.nfe : possible;
}

/** @throws {ArgumentError} when evaluations are no whole number of steps */
function checkEvaluations({ sampling, guidance }: Generator, evaluations: number): void {
  stepsFor(sampling, evaluations, sampling.guidance !== undefined && guidance === 'classifier-free');
}

/** The classifier that the metrics need: the one that was named, or the data's own; undefined where they need none. */
async function judgingClassifier(
  dataset: Dataset,
  { evaluation, digest }: RunConfig,
  path: string | undefined,
  work: ClassifierWork,
): Promise<JudgingClassifier | undefined> {
  if (featureMetricsAmong(evaluation.metrics).length === 0) {
    if (path === undefined) return undefined;
    throw new ArgumentError(
      `--classifier is for metrics on features, and none is asked for: ${evaluation.metrics.join(', ')}.`,
    );
  }
  checkClassifiable(evaluation.metrics, dataset);
  if (path !== undefined) return namedClassifier(path, { dataset, digest });
  return classifierOf({ dataset, digest, settings: evaluation.classifier }, work);
}

/** Compiles a classifier where there is one. */
function withJudging<T>(
  judgedBy: JudgingClassifier | undefined,
  backend: Backend,
  use: (classifier?: Classifier) => Promise<T>,
): Promise<T> {
  return judgedBy === undefined ? use() : withClassifier(judgedBy, backend, use);
}

/** What metrics read, in words. */
const readable: Readonly<Record<string, string>> = {
  sampleLabels: 'a model that knows classes',
  referenceLabels: 'data with classes',
  training: 'data that are a finite set of rows',
  support: 'data whose distribution is known',
  sampleLogits: "a classifier's logits",
};

/** @throws {ArgumentError} when a metric that was named does not apply */
function checkApplicable(judge: Judge, named: readonly string[]): void {
  for (const name of named) {
    if (judge.metrics.some((metric) => metric.name === name)) continue;
    const needed = metrics.get(name).reads.flatMap((field) => readable[field] ?? []);
    throw new ArgumentError(
      `The metric "${name}" does not apply here: it needs ${[...new Set(needed)].join(' and ')}.`,
    );
  }
}
