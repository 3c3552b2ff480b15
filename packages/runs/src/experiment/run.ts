/** Training a prepared run in its folder: what `train` and `compare` have in common. */
import { DataError, type CancellationSignal } from '@meanflow/core';
import {
  trainInDirectory,
  type ResumePoint,
  type RunDirectory,
  type RunSummary,
} from '@meanflow/training/node';
import type { Checkpoint, Progress, TrainOptions } from '@meanflow/training';
import type { Init } from '../config/schema.js';
import { pluginOptions } from '../plugins/recorded.js';
import { shellWord } from '../shell.js';
import { checkpointInfo } from './model.js';
import type { PreparedRun } from './training.js';

export interface RunOptions {
  readonly directory: RunDirectory;
  readonly onProgress: (progress: Progress) => void;
  /** Stops after the steps of the device's current run, with a checkpoint. */
  readonly signal: CancellationSignal;
  readonly onResume?: (from: ResumePoint) => void;
  /** Throws where the checkpoint to go on from is not of this run. */
  readonly checkCheckpoint?: (checkpoint: Checkpoint) => void;
  readonly onDiverged?: TrainOptions['onDiverged'];
  /** Takes the learning rate as it is asked for, though the run had gone back to smaller ones. */
  readonly forgetRateScale?: boolean;
}

/** Trains until all steps are made or the signal stops it; the trainer is left at the state that this ends in. */
export async function trainInFolder(run: PreparedRun, options: RunOptions): Promise<RunSummary> {
  const { config, dataset, trainer } = run;
  const { directory, onProgress, signal } = options;
  const { onResume, checkCheckpoint, onDiverged, forgetRateScale } = options;
  return trainInDirectory(trainer, {
    run: directory,
    info: checkpointInfo(config, dataset),
    steps: config.steps,
    logEvery: config.logEvery,
    checkpointEvery: config.checkpointEvery,
    onProgress,
    signal,
    ...(config.onDivergence && { onDivergence: config.onDivergence }),
    checkpointAtStart: config.init !== undefined,
    resumeCommand: `npx meanflow train --resume ${shellWord(directory.path)}${pluginOptions(config)}`,
    onResume: (from) => {
      if (config.init !== undefined && from.source === undefined)
        throw lostStart(config.init, directory.path);
      onResume?.(from);
    },
    ...(checkCheckpoint && { checkCheckpoint }),
    ...(onDiverged && { onDiverged }),
    ...(forgetRateScale && { forgetRateScale }),
  });
}

/** A run is interrupted between its configuration and its first checkpoint once in a blue moon. */
function lostStart({ path }: Init, folder: string): DataError {
  return new DataError(
    `"${folder}" has no checkpoint: the run was to begin with the parameters of "${path}", and did not come to keep them. Begin it ` +
      'anew, in another folder or after removing this one.',
  );
}
