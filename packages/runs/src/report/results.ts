/**
 * What a comparison found, as plain JSON: the content of `results.json`, and all that the report's numbers come from. Samples
 * are not in it; the report draws them from `DatasetPictures`.
 */
import type { DeviceInfo, HostArray, Shape } from '@meanflow/core';

/** A metric as it heads a column. */
export interface MetricColumn {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly better: 'lower' | 'higher' | 'one';
  readonly description: string;
}

/** One metric over the seeds at which the run succeeded, in their order. */
export interface MetricValues {
  readonly median: number;
  readonly values: readonly number[];
}

/** Metrics by name. */
export type MetricRow = Readonly<Record<string, MetricValues>>;

/** A method's samples at one number of network evaluations. */
export interface SamplingResults {
  /** Evaluations of the network for each sample, as the sampler counted them. */
  readonly nfe: number;
  readonly solver: string;
  readonly metrics: MetricRow;
}

export interface MethodResults {
  /** The name by which it is chosen, such as `meanflow`. */
  readonly method: string;
  readonly title: string;
  readonly parameterCount: number;
  /** Those at which the run succeeded. */
  readonly seeds: readonly number[];
  /** Of training, for each seed. */
  readonly seconds: readonly number[];
  readonly stepsPerSecond: number;
  readonly sampling: readonly SamplingResults[];
  /** The raw squared error by step, of the first of its seeds. */
  readonly losses: readonly (readonly [step: number, loss: number])[];
}

export interface DatasetResults {
  readonly name: string;
  readonly description: string;
  /** Resolved configurations by method, as in a run's `config.json`. */
  readonly configs: Readonly<Record<string, unknown>>;
  /** What all methods share, to be read in a line. */
  readonly facts: readonly string[];
  /** What whoever reads the numbers should know first, such as that the runs were short. */
  readonly notes: readonly string[];
  readonly metrics: readonly MetricColumn[];
  /** The noise floor: data against data, as many rows as there are samples. */
  readonly floor: MetricRow;
  readonly methods: readonly MethodResults[];
}

/** A run that failed, and why. */
export interface FailedRun {
  readonly dataset: string;
  readonly method: string;
  readonly seed: number;
  readonly message: string;
}

/** The whole of `results.json`. */
export interface ComparisonResults {
  readonly format: 'meanflow-comparison';
  readonly version: 1;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly command: string;
  readonly device: DeviceInfo;
  readonly seeds: readonly number[];
  /** From the first step to the last judgement, with the runs side by side. */
  readonly trainingSeconds: number;
  /** Those of which at least one run succeeded. */
  readonly datasets: readonly DatasetResults[];
  readonly failed: readonly FailedRun[];
}

/** Samples to draw, normalised as the network made them; of the first seed, of the runs that succeeded. */
export interface DatasetPictures {
  readonly dataset: string;
  /** `[height, width, channels]` where samples are images; undefined where they are points or rows of a table. */
  readonly imageShape: Shape | undefined;
  readonly columns: readonly string[];
  /** Images: ten of each class, class by class. Points: rows to draw. */
  readonly data: HostArray;
  readonly methods: readonly MethodPictures[];
}

export interface MethodPictures {
  readonly method: string;
  readonly samples: readonly { readonly nfe: number; readonly samples: HostArray }[];
  /** Points on the way from noise (first) to data (last), and the evaluations that it took. */
  readonly trajectory: { readonly nfe: number; readonly states: readonly HostArray[] } | undefined;
}
