/** A comparison in a folder of its own: every method on every data set at every seed, trained, judged and reported on. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { ArgumentError, type Backend } from '@meanflow/core';
import { datasets, type Dataset } from '@meanflow/data';
import type { BeginProgress, Progress } from '@meanflow/training';
import { acquireLock, type Lock } from '@meanflow/training/node';
import { backends, openBackend } from '../backends.js';
import { classifierOf, type ClassifierWork, type JudgingClassifier } from '../experiment/classifier.js';
import { compareAll } from '../experiment/compare-all.js';
import { saveRequest, type ComparisonRequest } from '../experiment/comparison-file.js';
import { planComparison, type ComparedDataset, type RunFailure } from '../experiment/comparison.js';
import type { FinishedRun, RunTask } from '../experiment/one-run.js';
import type { ResolvedRun } from '../experiment/resolve.js';
import { makeOutputFolder, writeOutput } from '../files.js';
import { entryByCode, mergeRecords } from '../plugins/recorded.js';
import { countText } from '../report/numbers.js';
import type { ComparisonResults, FailedRun } from '../report/results.js';

/** What a comparison is about to do. */
export interface BegunComparison {
  readonly folder: string;
  readonly backend: Backend;
  /** Runs at a time. */
  readonly jobs: number;
  readonly tasks: readonly RunTask[];
}

/** Who watches, how many runs are made at a time, and how it is stopped. */
export interface CompareRunsOptions {
  /** A new or empty folder; `runs/compare-<date>-<time>` by default. */
  readonly folder?: string | undefined;
  /** Whether the folder holds the comparison already, which is gone on with. */
  readonly resume?: boolean | undefined;
  /** Runs at a time; one for each core by default. */
  readonly jobs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onData?: (dataset: Dataset) => void;
  readonly onBegin?: (comparison: BegunComparison) => void;
  /** Makes who watches the training of the classifier that judges a data set, where one is needed. */
  readonly watchClassifier?: (dataset: Dataset) => Partial<ClassifierWork> & { readonly stop?: () => void };
  /** Told how far a run's first step is. */
  readonly onBeginning?: (task: RunTask, progress: BeginProgress) => void;
  readonly onProgress?: (task: RunTask, progress: Progress) => void;
  readonly onNotice?: (task: RunTask, sentence: string) => void;
  readonly onFinished?: (task: RunTask, run: FinishedRun) => void;
  readonly onFailed?: (task: RunTask, error: unknown) => void;
}

/** What came of a comparison. */
export interface Comparison {
  readonly folder: string;
  /** Undefined when it was stopped, or no run succeeded. */
  readonly results: ComparisonResults | undefined;
  /** Path of the report, where there are results. */
  readonly report: string | undefined;
  readonly failures: readonly RunFailure[];
  /** Whether the signal stopped it. */
  readonly stopped: boolean;
}

/** Held while a comparison is made, besides those of its runs. */
const LOCK = '.meanflow-lock';

/**
 * Compares. Nothing is written before every run is resolved and the backend is open; a run that fails leaves the others to go on.
 *
 * @throws {ArgumentError | DataError} when something is unknown, out of range or does not fit, or the folder is taken
 */
export async function compareRuns(
  request: ComparisonRequest,
  { resume = false, signal = new AbortController().signal, ...options }: CompareRunsOptions = {},
): Promise<Comparison> {
  const { config } = request;
  const planned = await planComparison(config, request.changes, description);
  for (const { dataset } of planned) options.onData?.(dataset);
  const tasks = planned.flatMap(({ runs }) => runs.flatMap(({ byMethod }) => byMethod));
  const jobs = jobsFor(tasks, options.jobs);
  const threads = Math.max(1, Math.floor(availableParallelism() / jobs));
  // Opened before anything is written, so that a backend that cannot run here leaves nothing behind.
  const backend = await openBackend(config.backend, { threads });
  const createdAt = new Date();
  const folder = options.folder ?? join('runs', `compare-${stamp(createdAt)}`);
  let lock: Lock | undefined;
  try {
    if (!resume) await makeOutputFolder(folder);
    lock = await acquireLock(join(folder, LOCK), `The comparison in "${folder}"`);
    const plugins = mergeRecords(tasks.flatMap((run) => run.config.plugins ?? []));
    if (!resume) await saveRequest(folder, { ...request, ...(plugins.length > 0 && { plugins }) });
    options.onBegin?.({ folder, backend, jobs, tasks: tasks.map((run) => ({ run, withPictures: false })) });
    const interrupted = { folder, results: undefined, report: undefined, failures: [], stopped: true };
    const classifiers = new Map<Dataset, JudgingClassifier>();
    for (const { dataset, classifier: wanted } of planned) {
      if (wanted === undefined) continue;
      const { stop, ...watch } = options.watchClassifier?.(dataset) ?? {};
      const work = { onNotice: () => {}, ...watch, backend, signal };
      const found = await classifierOf(wanted, work).finally(() => stop?.());
      if (found === undefined) return interrupted;
      classifiers.set(dataset, found);
    }
    const outcomes = await compareAll(planned, {
      ...{ backend, backendName: config.backend, jobs, threads, folder, classifiers, signal },
      onBeginning: (task, progress) => options.onBeginning?.(task, progress),
      onProgress: (task, progress) => options.onProgress?.(task, progress),
      onNotice: (task, sentence) => options.onNotice?.(task, sentence),
      onFinished: (task, run) => options.onFinished?.(task, run),
      onFailed: (task, error) => options.onFailed?.(task, error),
    });
    if (outcomes === undefined) return interrupted;
    const compared = outcomes.flatMap((outcome) => outcome.compared ?? []);
    const failures = outcomes.flatMap((outcome) => outcome.failures);
    if (compared.length === 0) {
      return { folder, results: undefined, report: undefined, failures, stopped: false };
    }
    const results: ComparisonResults = {
      format: 'meanflow-comparison',
      version: 1,
      createdAt: createdAt.toISOString(),
      command: request.command,
      device: backend.describe(),
      seeds: config.seeds,
      trainingSeconds: (Date.now() - createdAt.getTime()) / 1000,
      datasets: compared.map((dataset) => dataset.results),
      failed: failures.map(failedRun),
    };
    const report = await writeResults(folder, results, compared);
    return { folder, results, report, failures, stopped: false };
  } finally {
    await lock?.release();
    await backend.dispose();
  }
}

/**
 * How many runs are made at a time. Those of entries that were registered by code are made in this process.
 *
 * @throws {ArgumentError} when several were asked for all the same
 */
function jobsFor(runs: readonly ResolvedRun[], wanted: number | undefined): number {
  const [byCode] = runs.flatMap(({ config }) => entryByCode(config, { backends }) ?? []);
  const jobs = Math.min(wanted ?? (byCode === undefined ? availableParallelism() : 1), runs.length);
  if (byCode === undefined || jobs === 1) return jobs;
  throw new ArgumentError(
    `jobs: ${byCode} was registered by code, which the processes of ${jobs} jobs do not execute. Load it from a file with loadPlugin(), ` +
      'or compare with jobs: 1.',
  );
}

/** Writes the numbers, the pictures and the page, and returns its path. */
async function writeResults(
  folder: string,
  results: ComparisonResults,
  compared: readonly ComparedDataset[],
): Promise<string> {
  // The chart library takes longer to load than all the rest, and only this needs it.
  const { pictureFiles, reportHtml } = await import('../report.js');
  const files = compared.map((dataset) => pictureFiles(dataset.results, dataset.pictures));
  for (const [name, content] of Object.entries(Object.assign({}, ...files) as Record<string, string>)) {
    await writeOutput(join(folder, name), content);
  }
  await writeOutput(join(folder, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
  const report = join(folder, 'report.html');
  await writeOutput(report, reportHtml(results, compared.map(({ pictures }) => pictures))); // prettier-ignore
  return report;
}

function failedRun({ task: { run }, error }: RunFailure): FailedRun {
  const { method, seed } = run.config;
  const message = error instanceof Error ? error.message : String(error);
  return { dataset: run.dataset.name, method, seed, message };
}

function description({ name, columns, sizes, classCount, featureShape, imageShape }: Dataset): string {
  const listed = datasets.find(name)?.description;
  if (listed !== undefined) return listed;
  const rows = sizes === undefined ? '' : `${countText(sizes.train + sizes.test)} rows, `;
  if (columns.length === 0) {
    const shape = imageShape ?? featureShape;
    return `${rows}images of ${shape.join(' × ')}${classCount === undefined ? '' : `, ${classCount} classes`}`;
  }
  return `${rows}${plural(columns.length, 'column')}${classCount === undefined ? '' : `, ${classCount} classes`}`;
}

/** Local time as `2026-11-21-0240-07`. */
function stamp(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}-${two(date.getSeconds())}`;
}

function plural(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? '' : 's'}`;
}
