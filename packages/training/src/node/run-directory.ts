/**
 * RunDirectory: where one training run lives.
 *
 *     config.json                              what was asked for, every default resolved
 *     metrics.jsonl                            one JSON object a line
 *     checkpoints/step-00001000.safetensors    the last few
 *     final.safetensors                        when all steps are made
 *
 * A run directory is open in one process at a time. Opening it finds out whether it can be written to, before any
 * training. A folder in which somebody else keeps something never becomes one.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '@meanflow/core';
import type { JsonObject } from '@meanflow/formats';
import { isObject } from '@meanflow/formats/build';
import { errorCode, explainFileErrors, readRegularFile } from '@meanflow/formats/node';
import { removeTemporaryFiles, writeFileAtomically } from './atomic-file.js';
import { CHECKPOINT_FOLDER, makeCheckpointFolder } from './checkpoint-files.js';
import { checkWithin, foreignEntry, makeDirectory } from './directories.js';
import { acquireLock, type Lock } from './lock.js';
import { readMetrics } from './metrics-log.js';
import type { MetricsRecord } from '../train-options.js';

const CONFIG = 'config.json';
const METRICS = 'metrics.jsonl';
/** Nobody else's name: what it holds is written over. */
const LOCK = '.meanflow-lock';

export class RunDirectory {
  private constructor(
    readonly path: string,
    /** What config.json holds, or will when the run goes on. */
    readonly config: JsonObject,
    /** Whether the run was there before, to be gone on with. */
    readonly isResumed: boolean,
    private readonly lock: Lock,
  ) {}

  /**
   * Makes a directory for a new run, with its parents, and writes its config.json.
   *
   * @throws {DataError} when it cannot be written, holds a run or anything else already, or is in use
   */
  static async create(path: string, config: JsonObject): Promise<RunDirectory> {
    await checkFree(path);
    const lock = await lockDirectory(path);
    return releaseOnFailure(lock, async () => {
      // Somebody may have been quicker until it was locked.
      await checkFree(path);
      await prepare(path);
      await writeConfig(path, config);
      return new RunDirectory(path, config, false, lock);
    });
  }

  /**
   * Opens the directory of a run to go on with it.
   *
   * @param config replaces what config.json holds as soon as the run goes on, for one that is to be longer
   * @throws {DataError} when it holds no run, cannot be written, or is in use
   */
  static async resume(path: string, config?: JsonObject): Promise<RunDirectory> {
    const saved = await readRunConfig(path);
    const lock = await lockDirectory(path);
    return releaseOnFailure(lock, async () => {
      await prepare(path);
      return new RunDirectory(path, config ?? saved, true, lock);
    });
  }

  /** Writes `config` into config.json: done by `trainInDirectory` when nothing stands in the way of going on. */
  async saveConfig(): Promise<void> {
    await writeConfig(this.path, this.config);
  }

  /** The file of this run's metrics. */
  get metricsPath(): string {
    return metricsPath(this.path);
  }

  /** Lets others use the directory. */
  async close(): Promise<void> {
    await this.lock.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Makes sure that a new run can be begun in a directory: it is not there, or empty but for what an interrupted
 * beginning of a run left. Nothing is made or changed.
 *
 * @throws {DataError} when it holds a run or anything else already, or cannot be read
 */
export async function checkFree(path: string): Promise<void> {
  await explainFileErrors(`The run directory "${path}" cannot be written`, async () => {
    if (await exists(join(path, CONFIG))) {
      throw new DataError(`"${path}" holds a run already. Resume it, or choose another directory.`);
    }
    const folder = join(path, CHECKPOINT_FOLDER);
    const isBegun = (await exists(folder)) && (await readdir(folder)).length === 0;
    const found = await foreignEntry(path, [LOCK, ...(isBegun ? [CHECKPOINT_FOLDER] : [])]);
    if (found === undefined) return;
    throw new DataError(
      `The directory "${path}" is not empty and holds no run: there is "${found}" in it, beside which no run is begun. Choose ` +
        'another directory, or an empty one.',
    );
  });
}

/**
 * The configuration of a run, whether somebody uses its directory or not.
 *
 * @throws {DataError} when the directory holds no run, or its config.json is damaged
 */
export async function readRunConfig(path: string): Promise<JsonObject> {
  const file = join(path, CONFIG);
  if (!(await exists(file))) throw new DataError(`"${path}" holds no run: there is no ${CONFIG} in it.`);
  const text = (await readRegularFile(file)).toString('utf8');
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (error) {
    throw new DataError(`"${file}" is not JSON: ${(error as Error).message}.`);
  }
  if (!isObject(config)) throw new DataError(`"${file}" does not hold a JSON object.`);
  return config as JsonObject;
}

/** The metrics of a run, whether somebody uses its directory or not; see `readMetrics`. */
export function readRunMetrics(path: string): Promise<MetricsRecord[]> {
  return readMetrics(metricsPath(path));
}

function metricsPath(run: string): string {
  return join(run, METRICS);
}

async function lockDirectory(path: string): Promise<Lock> {
  return explainFileErrors(`The run directory "${path}" cannot be written`, async () => {
    await makeDirectory(path);
    return acquireLock(join(path, LOCK), `The run directory "${path}"`);
  });
}

/** Makes the folder for checkpoints, and clears away what a killed trainer left. */
async function prepare(path: string): Promise<void> {
  await explainFileErrors(`The run directory "${path}" cannot be written`, async () => {
    const folder = join(path, CHECKPOINT_FOLDER);
    await checkWithin(path, folder);
    await checkWithin(path, join(path, METRICS));
    await makeCheckpointFolder(path);
    await removeTemporaryFiles(folder);
    await removeTemporaryFiles(path);
  });
}

async function writeConfig(path: string, config: JsonObject): Promise<void> {
  await writeFileAtomically(join(path, CONFIG), [`${JSON.stringify(config, undefined, 2)}\n`]);
}

async function releaseOnFailure<T>(lock: Lock, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw error;
  }
}
