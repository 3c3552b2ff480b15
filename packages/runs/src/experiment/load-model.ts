/** Loading the model of a run, from its folder or from one of its checkpoints. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '@meanflow/core';
import type { Checkpoint } from '@meanflow/training';
import { loadCheckpoint, readRunConfig, type DamagedCheckpoint } from '@meanflow/training/node';
import { checkSavedRun, type RunConfig } from '../config/schema.js';
import { changedPlugins } from '../plugins/recorded.js';
import { countText } from '../report/numbers.js';
import { checkpointFacts, checksumText, modelOfCheckpoint, type Model } from './model.js';
import { compareWithRun } from './same-run.js';

export interface LoadOptions {
  /** Of a run: the average to sample with, or "none" for the parameters themselves; as the run says by default. */
  readonly average?: string | undefined;
  /** Told, in a sentence, of what a user should know: a checkpoint that was damaged and passed over, settings that have changed. */
  readonly notify?: ((sentence: string) => void) | undefined;
}

/**
 * The model of a checkpoint file, or of the latest intact checkpoint of a run's folder.
 *
 * @throws {DataError} when it is missing, damaged, not the checkpoint of the network that it says it is, or not of the run in
 *   whose folder it lies
 * @throws {ArgumentError} when the run keeps no such average
 */
export async function loadModel(
  path: string,
  { average: wanted, notify }: LoadOptions = {},
): Promise<{ readonly model: Model; readonly checkpoint: Checkpoint }> {
  const damaged: DamagedCheckpoint[] = [];
  const checkpoint = await loadCheckpoint(path, { onPassedOver: (each) => damaged.push(each) });
  if (damaged.length > 0) notify?.(passedOverText(damaged, checkpoint));
  const unchecked = checksumText(checkpoint);
  if (unchecked !== undefined) notify?.(unchecked);
  const model = await modelOfCheckpoint(checkpoint, wanted);
  for (const sentence of changedPlugins(model.config)) notify?.(sentence);
  const current = await configOfFolder(path, notify);
  if (current !== undefined) {
    const changes = compareWithRun(checkpoint, model.config, current.config, current.source);
    if (changes !== undefined) notify?.(changes);
  }
  return { model, checkpoint };
}

/**
 * What looks at the checkpoint that a run goes on from.
 *
 * @param config of the run, as `source`, its config.json, says
 * @param notify told, in a sentence, of what a user should know
 * @returns throws where the checkpoint is not of this run
 */
export function checkpointCheck(
  config: RunConfig,
  source: string,
  notify: (sentence: string) => void,
): (checkpoint: Checkpoint) => void {
  return (checkpoint) => {
    const changes = compareWithRun(checkpoint, checkpointFacts(checkpoint).config, config, source);
    for (const notice of [checksumText(checkpoint), changes]) if (notice !== undefined) notify(notice);
  };
}

/** Checkpoints that were passed over, and the one that is used instead. */
export function passedOverText(
  damaged: readonly DamagedCheckpoint[],
  used: Pick<Checkpoint, 'step' | 'source'>,
): string {
  const problems = damaged.map(({ problem }) => problem).join('\n');
  return `warning: ${problems}\nStep ${countText(used.step)} is used instead (${used.source}).`;
}

/** What config.json says in the folder of a run; undefined for a file, and where there is no such configuration. */
async function configOfFolder(
  path: string,
  notify: LoadOptions['notify'],
): Promise<{ readonly config: RunConfig; readonly source: string } | undefined> {
  const source = join(path, 'config.json');
  if (!existsSync(source)) return undefined;
  try {
    return { config: checkSavedRun(await readRunConfig(path), source), source };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    notify?.(`warning: the run's settings cannot be compared with the checkpoint's: ${error.message}`);
    return undefined;
  }
}
