/** One run of a comparison: trained in its folder, then judged, in this process. */
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Classifier } from '@meanflow/classifier';
import { loadClassifier } from '@meanflow/classifier/node';
import type { Backend } from '@meanflow/core';
import type { Dataset } from '@meanflow/data';
import { createSampler } from '@meanflow/samplers';
import type { BeginProgress, MetricsRecord, Progress } from '@meanflow/training';
import { readRunMetrics, type ResumePoint } from '@meanflow/training/node';
import type { RunConfig } from '../config/schema.js';
import type { MethodPictures } from '../report/results.js';
import { forLayoutOf } from './classifier.js';
import { createJudge, scoreModel, type Scores } from './evaluation.js';
import { checkpointCheck, passedOverText } from './load-model.js';
import { modelOfState, type Model } from './model.js';
import { loggedSeconds, openRunFolder } from './run-folder.js';
import { methodPictures } from './pictures.js';
import { judgedData, type ResolvedRun } from './resolve.js';
import { trainInFolder } from './run.js';
import { prepareRun } from './training.js';

/** A run to make. */
export interface RunTask {
  readonly run: ResolvedRun;
  readonly withPictures: boolean;
  /** File of the classifier that judges it, where its metrics need one. */
  readonly classifier?: string | undefined;
}

/** One trained and judged run. */
export interface FinishedRun {
  readonly method: string;
  readonly seed: number;
  readonly config: RunConfig;
  readonly parameterCount: number;
  /** Of training, compilation included; of a run that was gone on with, as its log tells. */
  readonly seconds: number;
  readonly stepsPerSecond: number;
  readonly scores: readonly { readonly nfe: number; readonly scores: Scores }[];
  readonly metrics: readonly MetricsRecord[];
  readonly pictures: MethodPictures | undefined;
}

export interface OneRunOptions {
  readonly backend: Backend;
  /** The comparison's folder; the run goes below `runs`. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Told how far the first step is. */
  readonly onBeginning: (progress: BeginProgress) => void;
  readonly onProgress: (progress: Progress) => void;
  /** Told, in a sentence, of what a user should know of the checkpoint that the run goes on from. */
  readonly onNotice: (sentence: string) => void;
}

/** Trains, from where an interrupted comparison left off if it did, and judges; undefined when the signal stopped it. */
export async function trainAndJudge(
  { run, withPictures, classifier }: RunTask,
  { backend, folder, signal, onBeginning, onProgress, onNotice }: OneRunOptions,
): Promise<FinishedRun | undefined> {
  const { config, dataset } = run;
  const started = performance.now();
  const prepared = await prepareRun(run, backend, onBeginning);
  const { network, trainer } = prepared;
  try {
    const path = join(folder, 'runs', fileName(dataset.name), `${config.method}-seed-${config.seed}`);
    const directory = await openRunFolder(path, config);
    const checkCheckpoint = checkpointCheck(config, join(path, 'config.json'), onNotice);
    const onResume = ({ step, source, damaged }: ResumePoint): void => {
      if (source !== undefined && damaged.length > 0) onNotice(passedOverText(damaged, { step, source }));
    };
    const summary = await trainInFolder(prepared, {
      directory,
      signal,
      onProgress,
      checkCheckpoint,
      onResume,
    }).finally(() => directory.close());
    if (!summary.completed) return undefined;
    const passed = (performance.now() - started) / 1000;
    const metrics = await readRunMetrics(path);
    const seconds = summary.resumedFrom > 0 ? loggedSeconds(metrics, config.batch) : passed;
    const model = modelOfState(config, dataset, network, await trainer.snapshot());
    return {
      method: config.method,
      seed: config.seed,
      config,
      parameterCount: network.parameterCount,
      seconds,
      stepsPerSecond: summary.resumedFrom > 0 ? config.steps / seconds : summary.stepsPerSecond,
      metrics,
      ...(await judge(model, dataset, { backend, signal, withPictures, classifier })),
    };
  } catch (error) {
    // The reason is thrown by what was stopped on the way, and says nothing that the caller does not know.
    if (signal.aborted && error === signal.reason) return undefined;
    throw error;
  } finally {
    await trainer.dispose();
  }
}

async function judge(
  model: Model,
  dataset: Dataset,
  {
    backend,
    signal,
    withPictures,
    classifier: path,
  }: Pick<OneRunOptions, 'backend' | 'signal'> & Pick<RunTask, 'withPictures' | 'classifier'>,
): Promise<Pick<FinishedRun, 'scores' | 'pictures'>> {
  const { config } = model;
  const { seed } = config;
  const sampler = createSampler(backend, model.network, { params: model.params, borrow: true });
  const judged = await judgedData({ config, dataset });
  const classifier =
    path === undefined
      ? undefined
      : await Classifier.create(forLayoutOf(judged, await loadClassifier(path)), backend);
  try {
    const options = { seed, nfe: config.sampling.nfe, signal };
    const judge = createJudge(judged, config, seed, classifier);
    const scored = await scoreModel(sampler, model, judge, options);
    const shown = { ...options, given: judge.given };
    const pictures = withPictures ? await methodPictures(sampler, model, scored, shown) : undefined;
    return { scores: scored.map(({ nfe, scores }) => ({ nfe, scores })), pictures };
  } finally {
    await sampler.dispose();
    await classifier?.dispose();
  }
}

/** A data set's name as part of a path. */
export function fileName(dataset: string): string {
  return dataset.replace(/[^A-Za-z0-9.-]+/g, '-');
}
