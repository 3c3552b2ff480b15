/** All runs of a comparison, in this process one after another or in several side by side. */
import type { Backend } from '@meanflow/core';
import type { Dataset } from '@meanflow/data';
import type { Progress } from '@meanflow/training';
import { loadedPlugins } from '../plugins/load.js';
import type { JudgingClassifier } from './classifier.js';
import { compareDataset, type ComparisonOutcome, type PlannedDataset } from './comparison.js';
import { trainAndJudge, type FinishedRun, type RunTask } from './one-run.js';
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
    const compared = planned.map((each) =>
      compareDataset(each, { train, backend, classifier: classifiers.get(each.dataset), signal }),
    );
    for (const outcome of await Promise.all(compared)) {
      if (outcome === undefined) return undefined;
      outcomes.push(outcome);
    }
    return outcomes;
  } finally {
    pool?.close();
  }
}

/** Runs in this process: each begins when the one before is over. */
function oneAfterAnother({
  backend,
  folder,
  signal,
  onProgress,
  onNotice,
}: CompareAllOptions): (task: RunTask) => Promise<FinishedRun | undefined> {
  let queue: Promise<unknown> = Promise.resolve();
  return (task) => {
    const options = {
      backend,
      folder,
      signal,
      onProgress: (of: Progress) => onProgress(task, of),
      onNotice: (sentence: string) => onNotice(task, sentence),
    };
    const run = queue.then(() => (signal.aborted ? undefined : trainAndJudge(task, options)));
    queue = run.catch(() => undefined);
    return run;
  };
}
