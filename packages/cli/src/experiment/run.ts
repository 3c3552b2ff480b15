/** Training a prepared run in its folder: what `train` and `compare` have in common. */
import {
  trainInDirectory,
  type ResumePoint,
  type RunDirectory,
  type RunSummary,
} from '@meanflow/training/node';
import type { Checkpoint, Progress } from '@meanflow/training';
import { checkpointInfo } from './model.js';
import type { PreparedRun } from './training.js';

export interface RunOptions {
  readonly directory: RunDirectory;
  readonly onProgress: (progress: Progress) => void;
  /** Stops after the steps of the device's current run, with a checkpoint. */
  readonly signal: AbortSignal;
  readonly onResume?: (from: ResumePoint) => void;
  /** Throws where the checkpoint to go on from is not of this run. */
  readonly checkCheckpoint?: (checkpoint: Checkpoint) => void;
}

/** Trains until all steps are made or the signal stops it; the trainer is left at the state that this ends in. */
export async function trainRun(run: PreparedRun, options: RunOptions): Promise<RunSummary> {
  const { config, dataset, trainer } = run;
  const { directory, onProgress, signal, onResume, checkCheckpoint } = options;
  return trainInDirectory(trainer, {
    run: directory,
    info: checkpointInfo(config, dataset),
    steps: config.steps,
    logEvery: config.logEvery,
    checkpointEvery: config.checkpointEvery,
    onProgress,
    signal,
    ...(onResume === undefined ? {} : { onResume }),
    ...(checkCheckpoint === undefined ? {} : { checkCheckpoint }),
  });
}
