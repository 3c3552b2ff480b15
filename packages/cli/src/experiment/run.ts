/** Training a prepared run in its folder, with progress shown: what `train` and `compare` have in common. */
import {
  trainInDirectory,
  type ResumePoint,
  type RunDirectory,
  type RunSummary,
} from '@meanflow/training/node';
import type { Io } from '../terminal/io.js';
import { showProgress } from '../terminal/progress.js';
import { checkpointInfo } from './model.js';
import type { PreparedRun } from './training.js';

export interface RunOptions {
  readonly directory: RunDirectory;
  /** What the progress is called. */
  readonly label: string;
  readonly io: Io;
  /** Stops after the current step, with a checkpoint. */
  readonly signal: AbortSignal;
  readonly onResume?: (from: ResumePoint) => void;
}

/** Trains until all steps are made or the signal stops it; the trainer is left at the state that this ends in. */
export async function trainRun(run: PreparedRun, options: RunOptions): Promise<RunSummary> {
  const { config, dataset, trainer } = run;
  const { directory, label, io, signal, onResume } = options;
  const progress = showProgress(label, io);
  try {
    return await trainInDirectory(trainer, {
      run: directory,
      info: checkpointInfo(config, dataset),
      steps: config.steps,
      logEvery: config.logEvery,
      checkpointEvery: config.checkpointEvery,
      onProgress: progress.update,
      signal,
      ...(onResume === undefined ? {} : { onResume }),
    });
  } finally {
    progress.stop();
  }
}
