/**
 * What a quality metric is to a table: a name, which values are good, what it reads of an evaluation, and its value. A
 * metric is written down as its value and the fields that it reads; whether it applies follows.
 */
import { ArgumentError, type HostArray, type RandomKey } from '@meanflow/core';
import { checkChoice, checkFields, quoted } from '@meanflow/core/validation';
import type { FeatureStatistics } from './frechet.js';
import type { Support } from './support.js';

/** What samples are judged by; a metric applies where what it reads is there. */
export interface Evaluation {
  /** `[rows, ...features]`, float, normalised as the network made them. */
  readonly samples: HostArray;
  /** int32 `[rows]`: the class that each sample was asked for. */
  readonly sampleLabels?: HostArray<'int32'>;
  /** `[other rows, ...features]`: data the model has not seen. */
  readonly reference: HostArray;
  /** int32 `[other rows]`. */
  readonly referenceLabels?: HostArray<'int32'>;
  /** `[training rows, ...features]`: what the model learnt from, where that is a finite set of rows. */
  readonly training?: HostArray;
  /** Where the distribution has its mass, where that is known. */
  readonly support?: Support;
  /** `[rows, features]`: what a feature extractor makes of the samples. */
  readonly sampleFeatures?: HostArray;
  /** `[rows, classes]`: what a classifier makes of the samples. */
  readonly sampleLogits?: HostArray;
  /** `[other rows, features]`: what the same extractor makes of the reference. */
  readonly referenceFeatures?: HostArray;
  /** Mean and covariance of the same features, for a reference that is known by these alone, or to compute them once. */
  readonly referenceStatistics?: FeatureStatistics;
}

/** A quality metric. */
export interface Metric {
  /** What commands and files call it. */
  readonly name: string;
  /** What the head of a table calls it. */
  readonly title: string;
  /** The unit of its value; empty where it has none. */
  readonly unit: string;
  /** Which values are good; `one`: the nearer to 1. */
  readonly better: 'lower' | 'higher' | 'one';
  /** One sentence: what it shows, and with what settings. */
  readonly description: string;
  /**
   * Whether it measures against the training rows where there are such; its noise floor then is that of held-out rows.
   * False by default.
   */
  readonly comparesWithTraining?: boolean;
  /** The optional fields of an evaluation that it reads. */
  readonly reads: readonly (keyof Evaluation)[];
  /** Whether all that it reads is there. */
  appliesTo(evaluation: Evaluation): boolean;
  /**
   * The value. The same key gives the same value.
   *
   * @throws {ArgumentError} when it does not apply; otherwise as the function of its file
   */
  evaluate(evaluation: Evaluation, key: RandomKey): number;
}

/** Rows of which metrics over all pairs look: their cost is quadratic, and their noise at this many is small. */
export const PAIRWISE_ROWS = 5000;

/** The rows that metrics over all pairs look at. */
export function firstRows(array: HostArray): HostArray {
  return array.rows(0, Math.min(PAIRWISE_ROWS, array.shape[0]!));
}

/** A metric as it is written down: what is left out has a default. */
export interface MetricDefinition<Field extends keyof Evaluation = never>
  extends
    Pick<Metric, 'name' | 'better' | 'comparesWithTraining'>,
    Partial<Pick<Metric, 'title' | 'unit' | 'description'>> {
  /** The optional fields of an evaluation that it reads, without which it does not apply; none by default. */
  readonly reads?: readonly Field[];
  /** As `evaluate`, of an evaluation that has all that it reads. */
  readonly value: (evaluation: Evaluation & Required<Pick<Evaluation, Field>>, key: RandomKey) => number;
}

/**
 * A metric out of its value and the optional fields of an evaluation that it reads.
 *
 * @throws {ArgumentError} when a field is missing or unknown
 */
export function metric<Field extends keyof Evaluation = never>(definition: MetricDefinition<Field>): Metric {
  const { name, title = name, unit = '', description = '', better, reads = [], value } = definition;
  checkFields(`The metric ${quoted(name)}`, definition, {
    name: 'text',
    title: 'text?',
    unit: 'words?',
    description: 'words?',
    better: 'text',
    comparesWithTraining: 'flag?',
    reads: 'list?',
    value: 'function',
  });
  checkChoice(`The metric ${quoted(name)}: better`, better, ['lower', 'higher', 'one']);
  for (const field of reads) checkChoice(`The metric ${quoted(name)}: reads`, field, readable);
  const hasAll = (evaluation: Evaluation): evaluation is Evaluation & Required<Pick<Evaluation, Field>> =>
    reads.every((field) => evaluation[field] !== undefined);
  return {
    ...{ name, title, unit, description, better, reads },
    comparesWithTraining: definition.comparesWithTraining ?? false,
    appliesTo: hasAll,
    evaluate: (evaluation, key) => {
      if (hasAll(evaluation)) return value(evaluation, key);
      const missing = reads.filter((field) => evaluation[field] === undefined);
      throw new ArgumentError(`The metric "${name}" needs ${missing.join(' and ')}.`);
    },
  };
}

/** A metric as it is, or as it is written down. @throws {ArgumentError} when a field is missing or unknown */
export function completeMetric(given: Metric | MetricDefinition): Metric {
  if (!('evaluate' in given)) return metric(given);
  checkFields(`The metric ${quoted(given.name)}`, given, {
    name: 'text',
    title: 'text',
    unit: 'words',
    description: 'words',
    better: 'text',
    comparesWithTraining: 'flag?',
    reads: 'list',
    appliesTo: 'function',
    evaluate: 'function',
  });
  checkChoice(`The metric ${quoted(given.name)}: better`, given.better, ['lower', 'higher', 'one']);
  return given;
}

/** What an evaluation may have. */
const readable = Object.keys({
  samples: true,
  sampleLabels: true,
  reference: true,
  referenceLabels: true,
  training: true,
  support: true,
  sampleFeatures: true,
  sampleLogits: true,
  referenceFeatures: true,
  referenceStatistics: true,
} satisfies Record<keyof Evaluation, true>);
