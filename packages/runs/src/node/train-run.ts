/** Training a run in a folder of its own, from the beginning or from where it was left: what `meanflow train` does. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError, type Backend, type CancellationSignal } from '@meanflow/core';
import { validate } from '@meanflow/core/validation';
import type { Dataset } from '@meanflow/data';
import type { JsonObject } from '@meanflow/formats';
import type { BeginProgress, DivergenceAction, DivergenceReport, Progress } from '@meanflow/training';
import {
  checkFree,
  readRunConfig,
  RunDirectory,
  type ResumePoint,
  type RunSummary,
} from '@meanflow/training/node';
import { backends, withBackend } from '../backends.js';
import { layersOf, type SettingsLayer } from '../config/layers.js';
import { merge } from '../config/merge.js';
import { checkSavedRun, runConfigSchema, type RunConfig, type RunSettings } from '../config/schema.js';
import { located, withPlaces } from '../experiment/data-place.js';
import { checkJudgeable, createJudge } from '../experiment/evaluation.js';
import { checkpointCheck } from '../experiment/load-model.js';
import { openDataOf, resolveRun, type ResolvedRun } from '../experiment/resolve.js';
import { trainInFolder, type RunOptions } from '../experiment/run.js';
import { prepareRun, type PreparedRun } from '../experiment/training.js';
import { changedPlugins, checkPlugins, withPlugins } from '../plugins/recorded.js';
import { runIn, type Run } from './open-run.js';

/** A run that is about to make its first step, or its next. */
export interface BegunRun extends PreparedRun {
  readonly folder: string;
  readonly backend: Backend;
  /** Of a run that goes on: its configuration until now. */
  readonly before?: RunConfig;
}

/** Who watches, where it computes, and how it is stopped. */
export interface TrainRunOptions {
  /** What to compute on, which stays open; by default what the configuration names, for as long as it trains. */
  readonly backend?: Backend | undefined;
  /** Stops after the steps of the device's current run, with a checkpoint. */
  readonly signal?: CancellationSignal | undefined;
  readonly onData?: (dataset: Dataset) => void;
  /** Told how far the first step is: before `onBegin` while it is traced and compiled, and after it when it is made. */
  readonly onBeginning?: (progress: BeginProgress) => void;
  readonly onBegin?: (run: BegunRun) => void;
  readonly onResume?: (run: BegunRun, from: ResumePoint) => void;
  readonly onProgress?: (progress: Progress) => void;
  /** Told, in a sentence, of what a user should know. */
  readonly onNotice?: (sentence: string) => void;
  readonly onDiverged?: (run: BegunRun, report: DivergenceReport, action: DivergenceAction) => void;
}

export interface NewRunOptions extends TrainRunOptions {
  /** A new or empty folder; `runs/<data>-<method>-seed-<seed>` by default, numbered on where it is taken. */
  readonly folder?: string | undefined;
}

/** What may change when a run goes on: its length, its rate, where it and its data are, and how it is taken through the device. */
export interface ResumeChanges extends Pick<
  RunSettings,
  'steps' | 'onDivergence' | 'accumulate' | 'memory' | 'backend' | 'data'
> {
  readonly optimizer?: { readonly learningRate?: number | undefined };
}

/** A run that was trained, or stopped. */
export interface TrainedRun extends Run {
  readonly dataset: Dataset;
  readonly summary: RunSummary;
}

/**
 * Trains a new run. Nothing is written before its step is compiled.
 *
 * @param settings over the recipe of the data; in layers, the last on top, where they come from several places
 * @throws {ArgumentError | DataError} when a setting is unknown, out of range or does not fit, or the folder is taken
 * @throws {BackendError} when the backend cannot run here
 * @throws {DivergenceError} when a step is not finite and the run is to stop then
 */
export async function trainRun(
  settings: RunSettings | readonly SettingsLayer[],
  { folder: given, ...options }: NewRunOptions = {},
): Promise<TrainedRun> {
  if (given !== undefined) await checkOut(given);
  const asked = layersOf(settings, 'The settings');
  const run = await resolveRun(asked, options.onNotice && { notify: options.onNotice });
  options.onData?.(run.dataset);
  await checkRows(run);
  return withBackend(options.backend ?? run.config.backend, async (backend) => {
    const folder = given ?? (await freeFolder(run));
    const config = withPlaces(run.config, folder);
    const prepared = await prepareRun({ ...run, config }, backend, options.onBeginning);
    return work({ ...prepared, folder, backend }, () => RunDirectory.create(folder, asJson(config)), options);
  });
}

/**
 * Goes on with a run as if it had never stopped.
 *
 * @throws {DataError} when the folder holds no run, or a damaged one, or its data are gone or others
 */
export async function resumeRun(
  folder: string,
  { data, ...changes }: ResumeChanges = {},
  options: TrainRunOptions = {},
): Promise<TrainedRun> {
  const source = join(folder, 'config.json');
  const saved = await readRunConfig(folder);
  const before = checkSavedRun(saved, source);
  const asked = validate(runConfigSchema(), merge(saved, changes), source, DataError);
  if (options.backend === undefined) checkPlugins(asked, source, ['backends'], { backends });
  for (const sentence of changedPlugins(before)) options.onNotice?.(sentence);
  const config = withPlugins(withPlaces(await located(asked, folder, data), folder));
  const dataset = await openDataOf(config);
  options.onData?.(dataset);
  return withBackend(options.backend ?? config.backend, async (backend) => {
    const prepared = await prepareRun({ config, dataset }, backend, options.onBeginning);
    return work(
      { ...prepared, folder, backend, before },
      () => RunDirectory.resume(folder, asJson(config)),
      options,
      {
        checkCheckpoint: checkpointCheck(before, source, (sentence) => options.onNotice?.(sentence)),
        forgetRateScale: changes.optimizer?.learningRate !== undefined,
      },
    );
  });
}

async function work(
  run: BegunRun,
  open: () => Promise<RunDirectory>,
  { signal = new AbortController().signal, onBegin, onResume, onProgress, onDiverged }: TrainRunOptions,
  more: Pick<RunOptions, 'checkCheckpoint' | 'forgetRateScale'> = {},
): Promise<TrainedRun> {
  const { config, dataset, folder, trainer } = run;
  try {
    const directory = await open();
    try {
      onBegin?.(run);
      const summary = await trainInFolder(run, {
        directory,
        signal,
        onProgress: (progress) => onProgress?.(progress),
        onResume: (from) => onResume?.(run, from),
        ...(onDiverged && { onDiverged: (report, action) => onDiverged(run, report, action) }),
        ...more,
      });
      return { ...runIn(folder, config), dataset, summary };
    } finally {
      await directory.close();
    }
  } finally {
    await trainer.dispose();
  }
}

/** The folder refuses a second run itself, but only when the first step is compiled, which takes its time. */
async function checkOut(folder: string): Promise<void> {
  if (await exists(join(folder, 'config.json'))) {
    throw new DataError(
      `"${folder}" holds a run already. Go on with it with --resume, or choose another folder with --out.`,
    );
  }
  await checkFree(folder);
}

/** With more rows than this the check takes its time, and all but repeated rows pass it. */
const FEW_ROWS = 1000;

/** @throws {DataError} when the run could not be judged for want of rows */
async function checkRows({ config, dataset }: ResolvedRun): Promise<void> {
  const { sizes } = dataset;
  if (sizes === undefined || sizes.train + sizes.test > FEW_ROWS) return;
  await checkJudgeable(dataset, createJudge(dataset, config, config.seed));
}

/** `runs/<data>-<method>-seed-<seed>`, numbered on where it is taken. */
async function freeFolder({ config, dataset }: ResolvedRun): Promise<string> {
  const name = dataset.name.replace(/[^A-Za-z0-9.-]+/g, '-');
  const base = join('runs', `${name}-${config.method}-seed-${config.seed}`);
  for (let number = 1; ; number++) {
    const folder = number === 1 ? base : `${base}-${number}`;
    if (!(await exists(folder))) return folder;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}

/** Through text, which leaves out what is undefined. */
function asJson(config: RunConfig): JsonObject {
  return JSON.parse(JSON.stringify(config)) as JsonObject;
}
