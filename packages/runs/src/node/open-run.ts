/** A run in its folder: what it was asked to do, how far it is, what it measured and what it learnt. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '@meanflow/core';
import type { MetricsRecord } from '@meanflow/training';
import { readRunConfig, readRunMetrics, runCheckpoints } from '@meanflow/training/node';
import { checkSavedRun, type RunConfig } from '../config/schema.js';
import { withFileErrors } from '../files.js';
import type { OpenModel } from '../open-model.js';
import { openModel, type OpenOptions } from './open-model.js';

/** A checkpoint in a run's folder. */
export interface RunCheckpoint {
  readonly path: string;
  /** Updates made; undefined for one that is damaged. */
  readonly step: number | undefined;
}

/** A run that is there. */
export interface Run {
  readonly folder: string;
  /** Every setting, as `config.json` records it. */
  readonly config: RunConfig;
  /** What was logged, the earliest first. */
  metrics(): Promise<readonly MetricsRecord[]>;
  /** Its checkpoints, the latest first. */
  checkpoints(): Promise<readonly RunCheckpoint[]>;
  /** Its model at the latest intact checkpoint. @throws {DataError} when there is none */
  model(options?: OpenOptions): Promise<OpenModel>;
}

/**
 * Opens a run.
 *
 * @throws {DataError} when the folder is missing, or holds no run
 * @throws {ArgumentError} when its network or objective is of a plug-in that is not loaded
 */
export async function openRun(folder: string): Promise<Run> {
  const isFolder = (await withFileErrors(`"${folder}" cannot be opened`, () => stat(folder))).isDirectory();
  if (!isFolder)
    throw new DataError(`"${folder}" is a file: a run is a folder. Open a checkpoint with openModel().`);
  const source = join(folder, 'config.json');
  return runIn(folder, checkSavedRun(await readRunConfig(folder), source));
}

/** The run of a folder whose configuration is known. */
export function runIn(folder: string, config: RunConfig): Run {
  return {
    folder,
    config,
    metrics: () => readRunMetrics(folder),
    checkpoints: () => runCheckpoints(folder),
    model: (options) => openModel(folder, options),
  };
}
