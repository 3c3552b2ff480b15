/** All runs of a comparison, in this process one after another or in several side by side. */
import type { Backend } from '@meanflow/core';
import type { Dataset } from '@meanflow/data';
import type { BeginProgress, Progress } from '@meanflow/training';
import { loadedPlugins } from '../plugins/load.js';
import type { JudgingClassifier } from './classifier.js';
import { compareDataset, type ComparisonOutcome, type PlannedDataset } from './comparison.js';
import { factsOf, networkOf } from './model.js';
import { trainAndJudge, type FinishedRun, type RunTask } from './one-run.js';
import type { ResolvedRun } from './resolve.js';
import { RunPool } from './run-pool.js';

export interface CompareAllOptions {
  readonly backend: Backend;
  /** The name by which it was chosen. */
  readonly backendName: string;
  /** Runs at a time. */
  readonly jobs: number;
  /** Processor threads of each. */
  readonly threads: number;
  readonly folder: string;
  /** What judges the images, by data set. */
  readonly classifiers: ReadonlyMap<Dataset, JudgingClassifier>;
  readonly signal: AbortSignal;
  /** Told how far a run's first step is. */
  readonly onBeginning: (task: RunTask, progress: BeginProgress) => void;
  readonly onProgress: (task: RunTask, progress: Progress) => void;
  /** Told of what a user should know of a run that goes on. */
  readonly onNotice: (task: RunTask, sentence: string) => void;
  readonly onFinished: (task: RunTask, run: FinishedRun) => void;
  readonly onFailed: (task: RunTask, error: unknown) => void;
}

/** Everything planned, in the order of the plan; undefined when it was interrupted. */
export async function compareAll(
  planned: readonly PlannedDataset[],
  options: CompareAllOptions,
): Promise<ComparisonOutcome[] | undefined> {
  const { jobs, signal, onFinished, onFailed } = options;
  const pool =
    jobs === 1
      ? undefined
      : new RunPool({ ...options, backend: options.backendName, plugins: await loadedPlugins() });
  const make = pool?.train ?? oneAfterAnother(options);
  const train = async (task: RunTask): Promise<FinishedRun | undefined> => {
    try {
      const run = await make(task);
      if (run !== undefined) onFinished(task, run);
      return run;
    } catch (error) {
      onFailed(task, error);
      throw error;
    }
  };
  try {
    // All are asked for at once, so that no core waits for a data set to be finished.
    const outcomes: ComparisonOutcome[] = [];
    const { backend, classifiers } = options;
    const compared = new Map(
      (pool === undefined ? planned : longestFirst(planned)).map((each) => [
        each,
        compareDataset(each, { train, backend, classifier: classifiers.get(each.dataset), signal }),
      ]),
    );
    for (const outcome of await Promise.all(planned.map((each) => compared.get(each)))) {
      if (outcome === undefined) return undefined;
      outcomes.push(outcome);
    }
    return outcomes;
  } finally {
    pool?.close();
  }
}

/**
 * Data sets whose runs take long before the others: what is short fills the cores at the end, where else all but one would wait for
 * the last long run.
 */
export function longestFirst<Planned extends PlannedRuns>(planned: readonly Planned[]): Planned[] {
  const work = ({ runs }: Planned): number =>
    Math.max(...runs.flatMap(({ byMethod }) => byMethod.map(workOf)));
  return [...planned].sort((a, b) => work(b) - work(a));
}

/** A data set, as far as its runs go. */
interface PlannedRuns {
  readonly runs: readonly { readonly byMethod: readonly ResolvedRun[] }[];
}

/** Of a run, to compare with others: samples that it learns from, times parameters. */
function workOf({ config, dataset }: ResolvedRun): number {
  return config.steps * config.batch * networkOf(config, factsOf(dataset)).parameterCount;
}

/** Runs in this process: each begins when the one before is over. */
function oneAfterAnother({
  backend,
  folder,
  signal,
  onBeginning,
  onProgress,
  onNotice,
}: CompareAllOptions): (task: RunTask) => Promise<FinishedRun | undefined> {
  let queue: Promise<unknown> = Promise.resolve();
  return (task) => {
    const options = {
      backend,
      folder,
      signal,
      onBeginning: (of: BeginProgress) => onBeginning(task, of),
      onProgress: (of: Progress) => onProgress(task, of),
      onNotice: (sentence: string) => onNotice(task, sentence),
    };
    const run = queue.then(() => (signal.aborted ? undefined : trainAndJudge(task, options)));
    queue = run.catch(() => undefined);
    return run;
  };
}
