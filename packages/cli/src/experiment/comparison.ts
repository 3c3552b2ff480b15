/**
 * A comparison: every method on every data set at every seed, trained and judged alike. All runs are resolved before the first one
 * begins, so that a mistake in the last shows at once.
 */
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Backend } from '@meanflow/core';
import type { Dataset } from '@meanflow/data';
import { createSampler } from '@meanflow/samplers';
import type { JsonObject, MetricsRecord } from '@meanflow/training';
import { readRunMetrics, RunDirectory } from '@meanflow/training/node';
import { merge } from '../config/merge.js';
import { recipeSchema, type ComparisonConfig, type MethodName, type RunConfig } from '../config/schema.js';
import { validate } from '../config/validate.js';
import { methods } from '../methods.js';
import { recipeFor } from '../recipes/index.js';
import { countText, durationText } from '../report/numbers.js';
import type { DatasetPictures, DatasetResults, MethodPictures } from '../report/results.js';
import type { Io } from '../terminal/io.js';
import { createJudge, scoreModel, type Judge, type ModelScores } from './evaluation.js';
import { modelOfState } from './model.js';
import { datasetPictures, methodPictures } from './pictures.js';
import { resolveRun, type ResolvedRun } from './resolve.js';
import { trainRun } from './run.js';
import { summarise } from './summary.js';
import { checkTrainable, prepareRun } from './training.js';

/** Settings that the command line lays over every recipe. */
export interface RunChanges {
  readonly steps?: number | undefined;
  readonly batch?: number | undefined;
}

/** The runs on one data set, by seed and method. */
export interface PlannedDataset {
  readonly dataset: Dataset;
  readonly description: string;
  readonly runs: readonly { readonly seed: number; readonly byMethod: readonly ResolvedRun[] }[];
}

/** One trained and judged run. */
export interface FinishedRun {
  readonly method: MethodName;
  readonly seed: number;
  readonly config: RunConfig;
  readonly parameterCount: number;
  readonly seconds: number;
  readonly stepsPerSecond: number;
  readonly scores: readonly ModelScores[];
  readonly metrics: readonly MetricsRecord[];
  /** Of the first seed only. */
  readonly pictures: MethodPictures | undefined;
}

/** Resolves every run. @throws {ArgumentError | DataError} when any of them cannot be */
export async function planComparison(
  config: ComparisonConfig,
  changes: RunChanges,
  describe: (dataset: Dataset) => string,
): Promise<PlannedDataset[]> {
  const planned: PlannedDataset[] = [];
  for (const data of config.data) {
    const choice = { data, label: isPath(data) ? config.label : undefined, backend: config.backend };
    const { dataset } = await resolveRun(choice, 'The comparison');
    const source = `recipes.${data}`;
    const recipe = validate(
      recipeSchema,
      merge(recipeFor(dataset), merge(config.recipes[data], changes)),
      source,
    );
    const runs = [];
    for (const seed of config.seeds) {
      const byMethod = [];
      for (const method of config.methods) {
        const run = await resolveRun(
          { ...choice, method, seed, logEvery: Math.max(1, Math.round(recipe.steps / 200)) },
          source,
          recipe,
        );
        byMethod.push({ ...run, dataset });
      }
      runs.push({ seed, byMethod });
    }
    for (const run of runs[0].byMethod) await checkTrainable(run);
    planned.push({ dataset, description: describe(dataset), runs });
  }
  return planned;
}

export interface ComparisonOptions {
  readonly backend: Backend;
  /** Where the runs go, below `runs`. */
  readonly folder: string;
  readonly io: Io;
  readonly signal: AbortSignal;
}

/** What came of a data set. */
export interface ComparedDataset {
  readonly results: DatasetResults;
  readonly pictures: DatasetPictures;
  readonly trainingSeconds: number;
}

/** Trains and judges everything on one data set; undefined when the signal stopped it. */
export async function compareDataset(
  planned: PlannedDataset,
  options: ComparisonOptions,
): Promise<ComparedDataset | undefined> {
  const { dataset } = planned;
  const judges: Judge[] = [];
  const finished: FinishedRun[] = [];
  for (const { seed, byMethod } of planned.runs) {
    const judge = createJudge(dataset, byMethod[0].config, seed);
    judges.push(judge);
    for (const run of byMethod) {
      const result = await runAndJudge(run, judge, options, judges.length === 1);
      if (result === undefined) return undefined;
      finished.push(result);
    }
  }
  const trainingSeconds = finished.reduce((sum, { seconds }) => sum + seconds, 0);
  const pictures = datasetPictures(dataset, finished[0].config, finished);
  return { results: summarise(planned, judges, finished), pictures, trainingSeconds };
}

async function runAndJudge(
  run: ResolvedRun,
  judge: Judge,
  { backend, folder, io, signal }: ComparisonOptions,
  withPictures: boolean,
): Promise<FinishedRun | undefined> {
  const { config, dataset } = run;
  const { method, seed } = config;
  const label = `${dataset.name}, ${methods[method].title}, seed ${seed}`;
  const started = performance.now();
  const prepared = await prepareRun(run, backend);
  const { network, trainer } = prepared;
  try {
    const path = join(folder, 'runs', fileName(dataset.name), `${method}-seed-${seed}`);
    const directory = await RunDirectory.create(path, JSON.parse(JSON.stringify(config)) as JsonObject);
    const summary = await trainRun(prepared, { directory, label, io, signal }).finally(() =>
      directory.close(),
    );
    if (!summary.completed) return undefined;
    const seconds = (performance.now() - started) / 1000;
    io.err(`${label}: ${countText(config.steps)} steps, ${durationText(seconds)}\n`);
    const model = modelOfState(config, dataset, network, await trainer.snapshot());
    const sampler = createSampler(backend, network);
    const scores = await scoreModel(sampler, model, judge, { seed, nfe: config.sampling.nfe });
    const pictures = withPictures ? await methodPictures(sampler, model, scores, seed) : undefined;
    await sampler.dispose();
    const metrics = await readRunMetrics(path);
    const { stepsPerSecond } = summary;
    return {
      method,
      seed,
      config,
      parameterCount: network.parameterCount,
      seconds,
      stepsPerSecond,
      scores,
      metrics,
      pictures,
    };
  } finally {
    await trainer.dispose();
  }
}

/** Labels are of files; the data sets with a name know theirs. */
function isPath(data: string): boolean {
  return /[\\/.]/.test(data);
}

/** A data set's name as part of a path. */
export function fileName(dataset: string): string {
  return dataset.replace(/[^A-Za-z0-9.-]+/g, '-');
}
