/**
 * Judging a model: samples at several numbers of network evaluations against data that it has not seen, and the noise floor, which is
 * fresh data against the same data. Everything random follows from a seed, and the noise is the same for every method.
 */
import { setImmediate } from 'node:timers/promises';
import {
  DataError,
  HostArray,
  MeanflowError,
  RandomKey,
  type Shape,
  type CancellationSignal,
} from '@meanflow/core';
import { countClasses, GIVEN, restoreKnown, type Batch, type Dataset } from '@meanflow/data';
import { metrics, type Evaluation, type FeatureExtractor, type Metric } from '@meanflow/metrics';
import type { ParameterTree, Sampler } from '@meanflow/samplers';
import type { RunConfig } from '../config/schema.js';
import { drawSamples, labelsLike } from './draw.js';
import { checkSampleMemory } from './memory.js';
import { ExtractedEvaluation, featuresOf, readsFeatures } from './features.js';
import type { Model } from './model.js';

/** Metrics by name. */
export type Scores = Readonly<Record<string, number>>;

/** A model at one number of evaluations. */
export interface ModelScores {
  /** As the sampler counted it. */
  readonly nfe: number;
  readonly scores: Scores;
  /** Normalised. */
  readonly samples: HostArray<'float32'>;
}

export interface ScoreOptions {
  /** Of the noise. */
  readonly seed: number;
  readonly nfe: readonly number[];
  /** Whether all classes are drawn alike, however often the reference has them. */
  readonly even?: boolean;
  readonly signal?: CancellationSignal | undefined;
}

/** What samples of one data set are judged by, at one seed. */
export interface Judge {
  /** The metrics that apply to this data set, of those that were asked for. */
  readonly metrics: readonly Metric[];
  /**
   * How many rows of the reference are of each class, which samples follow that are judged by it; undefined where all classes are
   * equally likely, or there are none.
   */
  readonly classCounts: readonly number[] | undefined;
  /** What samples are drawn for, where the data have conditions: `heldOutRows`. */
  readonly given: RowSource | undefined;
  /** The noise floor, computed when it is first asked for: a run of a comparison needs no floor of its own. */
  floor(signal?: CancellationSignal): Promise<Scores>;
  /** @throws the signal's reason when it is aborted between two metrics */
  score(
    samples: HostArray,
    labels: HostArray<'int32'> | undefined,
    signal?: CancellationSignal,
  ): Promise<Scores>;
}

/** What rows are given that samples are drawn for. */
export type GivenRows = Pick<Batch, 'label' | 'conditions'>;

/** `count` rows from `start` on (0 by default), one after the other and again from the first. */
export type RowSource = (count: number, start?: number) => GivenRows;

/** The seed's key for evaluation, the same for every method. */
export function evaluationKey(seed: number): RandomKey {
  return RandomKey.fromSeed(seed).fold('evaluation');
}

/**
 * The held-out rows that samples are drawn for, the same for every method; undefined where the data have no conditions.
 *
 * @param most how many different ones
 */
export function heldOutRows(dataset: Dataset, seed: number, most: number): RowSource | undefined {
  if (dataset.conditions === undefined) return undefined;
  return rowsOf(dataset.reference('test', evaluationKey(seed).fold('reference'), most));
}

function rowsOf(rows: GivenRows): RowSource {
  return (count, start = 0) => cycled(rows, count, start);
}

/**
 * Draws reference data, and fresh data for the noise floor.
 *
 * @param extractor what metrics on features are computed with; without it they are left out
 */
export function createJudge(
  dataset: Dataset,
  { evaluation, conditional }: Pick<RunConfig, 'evaluation' | 'conditional'>,
  seed: number,
  extractor?: FeatureExtractor,
): Judge {
  const key = evaluationKey(seed);
  if (dataset.sizes === undefined) {
    checkSampleMemory(evaluation.samples, dataset.featureShape, 'evaluation.samples (--samples)');
  }
  const reference = dataset.reference('test', key.fold('reference'), evaluation.samples);
  const fresh = dataset.reference('train', key.fold('floor'), evaluation.samples);
  const asked = evaluation.metrics.map((name) => metrics.get(name));
  const isOfTraining = (metric: Metric): boolean => metric.comparesWithTraining === true;
  const { sizes } = dataset;
  const isGiven = dataset.conditions !== undefined;
  const whole = (x: HostArray, rows: GivenRows): HostArray =>
    isGiven ? wholeRows(x, cycled(rows, x.shape[0]!, 0).conditions, dataset.imageShape) : x;
  const trainingRows = (rows: Batch) => whole(rows.x, rows);
  const training =
    sizes !== undefined && asked.some((metric) => isOfTraining(metric) && !readsFeatures(metric))
      ? trainingRows(dataset.reference('train', key, sizes.train))
      : undefined;
  const evaluationOf = (
    samples: HostArray,
    labels: Batch['label'],
    rows: GivenRows = reference,
  ): Evaluation => ({
    samples: whole(samples, rows),
    reference: whole(reference.x, reference),
    ...(conditional && labels && reference.label
      ? { sampleLabels: labels, referenceLabels: reference.label }
      : {}),
    ...(training === undefined ? {} : { training }),
    ...(dataset.support === undefined ? {} : { support: dataset.support }),
  });
  const example = evaluationOf(fresh.x, fresh.label, fresh);
  const known = new Set([...Object.keys(example), ...(extractor === undefined ? [] : featuresOf(extractor))]);
  const applying = asked.filter(({ reads }) => reads.every((field) => known.has(field)));
  const features =
    extractor !== undefined && applying.some(readsFeatures)
      ? new ExtractedEvaluation(extractor, dataset, reference.x)
      : undefined;
  const scoresOf = async (
    plain: Evaluation,
    chosen: readonly Metric[],
    signal: CancellationSignal | undefined,
  ): Promise<Record<string, number>> => {
    const scores: Record<string, number> = {};
    const of = (await features?.complete(plain, signal)) ?? plain;
    for (const metric of chosen) {
      // A metric computes without a pause: an interrupt is heard between two of them.
      await setImmediate();
      signal?.throwIfAborted();
      scores[metric.name] = metric.evaluate(of, key.fold(metric.name));
    }
    return scores;
  };
  // Training rows against themselves would be no floor, nor what a classifier says of rows that it learnt: there it is held-out rows.
  const onHeldOut =
    sizes === undefined
      ? []
      : applying.filter((metric) => isOfTraining(metric) || metric.reads.includes('sampleLogits'));
  let floor: Scores | undefined;
  return {
    metrics: applying,
    classCounts:
      sizes === undefined || reference.label === undefined || dataset.classCount === undefined
        ? undefined
        : countClasses(reference.label.data, dataset.classCount),
    given: isGiven ? rowsOf(reference) : undefined,
    floor: async (signal) =>
      (floor ??= {
        ...(await scoresOf(example, applying, signal)),
        ...(onHeldOut.length === 0
          ? {}
          : await scoresOf(evaluationOf(reference.x, reference.label), onHeldOut, signal)),
      }),
    score: (samples, labels, signal) => scoresOf(evaluationOf(samples, labels), applying, signal),
  };
}

function cycled({ label, conditions = {} }: GivenRows, count: number, start: number): GivenRows {
  const take = <D extends 'int32' | 'float32'>(array: HostArray<D>): HostArray<D> => {
    const rows = array.shape[0]!;
    return array.takeRows(Array.from({ length: count }, (_, i) => (start + i) % rows));
  };
  return {
    label: label && take(label),
    conditions: Object.fromEntries(Object.entries(conditions).map(([name, array]) => [name, take(array)])),
  };
}

/**
 * Rows with what they were given, which is what is judged: the columns of a table that are given beside the others, so that how they
 * go together shows, and known pixels in their places.
 */
function wholeRows(
  x: HostArray,
  conditions: Batch['conditions'] = {},
  imageShape: Shape | undefined,
): HostArray {
  const rows = x.shape[0]!;
  const given = conditions[GIVEN];
  if (given === undefined) return restoreKnown(x.to('float32'), conditions, imageShape);
  const [own, beside] = [x.size / rows, given.size / rows];
  const data = new Float32Array(x.size + given.size);
  for (let row = 0; row < rows; row++) {
    const at = row * (own + beside);
    data.set(x.data.subarray(row * own, (row + 1) * own), at);
    data.set(given.data.subarray(row * beside, (row + 1) * beside), at + own);
  }
  return new HostArray('float32', [rows, own + beside], data);
}

/**
 * Finds out before anything is trained whether the rows of a table suffice for what is to be measured: whether they can be measured
 * themselves.
 *
 * @throws {DataError} when they cannot
 */
export async function checkJudgeable({ name, sizes }: Dataset, judge: Judge): Promise<void> {
  if (sizes === undefined) return;
  try {
    await judge.floor();
  } catch (error) {
    if (!(error instanceof MeanflowError)) throw error;
    throw new DataError(
      `What is trained on "${name}" could not be judged, with ${sizes.train} rows to learn from and ${sizes.test} held out: ` +
        `${error.message} Give it more rows, or choose other metrics (evaluation.metrics in a configuration file).`,
      { cause: error },
    );
  }
}

/**
 * Samples a model at each of `nfe` and scores the samples.
 *
 * @throws the signal's reason when it is aborted
 */
export async function scoreModel(
  sampler: Sampler<ParameterTree>,
  model: Model,
  judge: Judge,
  { seed, nfe, even = false, signal }: ScoreOptions,
): Promise<ModelScores[]> {
  const count = model.config.evaluation.samples;
  const given = judge.given?.(count);
  const labels =
    given !== undefined && model.network.classCount !== undefined
      ? given.label
      : labelsLike(model, count, even ? undefined : judge.classCounts);
  const found: ModelScores[] = [];
  for (const evaluations of nfe) {
    const { samples, nfe: counted } = await drawSamples(sampler, model, {
      count,
      key: evaluationKey(seed),
      labels,
      conditions: given?.conditions,
      nfe: evaluations,
      signal,
    });
    found.push({ nfe: counted, scores: await judge.score(samples, labels, signal), samples });
  }
  return found;
}
