/**
 * The checkpoints of a run on the disk: `checkpoints/step-00001000.safetensors` while it trains, of which the last few
 * are kept, and `final.safetensors` when it is done. Which one is the latest, and whether it is intact, is found out
 * by reading; a damaged one is never passed over in silence.
 */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '@meanflow/core';
import { errorCode, explainFileErrors } from '@meanflow/formats/node';
import { decodeCheckpoint, type Checkpoint } from '../checkpoint.js';
import { syncDirectory, writeFileAtomically } from './atomic-file.js';
import { makeDirectory } from './directories.js';

/** A checkpoint that could not be used. */
export interface DamagedCheckpoint {
  readonly path: string;
  readonly problem: string;
}

/** What to do when the latest checkpoint is damaged. */
export type DamagePolicy = 'fail' | 'use-previous';

/** The latest checkpoint that was used, and later ones that were damaged. */
export interface LatestCheckpoint {
  /** Undefined when the run has none. */
  readonly checkpoint: Checkpoint | undefined;
  readonly damaged: readonly DamagedCheckpoint[];
}

const FINAL = 'final.safetensors';
/** Where the checkpoints of a run lie, within it. */
export const CHECKPOINT_FOLDER = 'checkpoints';
const NAME = /^step-(\d+)\.safetensors$/;

/** Where the final checkpoint of a run lies. */
export function finalCheckpointPath(run: string): string {
  return join(run, FINAL);
}

/** Where the checkpoint of a step lies. */
export function stepCheckpointPath(run: string, step: number): string {
  return join(run, CHECKPOINT_FOLDER, `step-${String(step).padStart(8, '0')}.safetensors`);
}

/** Makes the folder for checkpoints and returns its path. */
export async function makeCheckpointFolder(run: string): Promise<string> {
  const folder = join(run, CHECKPOINT_FOLDER);
  await makeDirectory(folder);
  return folder;
}

/** Writes a step's checkpoint, then removes all but the last `keep`. */
export async function writeStepCheckpoint(
  run: string,
  step: number,
  chunks: Iterable<Uint8Array>,
  keep: number,
): Promise<string> {
  const path = stepCheckpointPath(run, step);
  await writeFileAtomically(path, chunks);
  const old = (await stepCheckpoints(run)).filter((entry) => entry.step <= step).slice(keep);
  for (const entry of old) await rm(entry.path, { force: true });
  if (old.length > 0) await syncDirectory(join(run, CHECKPOINT_FOLDER));
  return path;
}

/** Writes the final checkpoint. */
export async function writeFinalCheckpoint(run: string, chunks: Iterable<Uint8Array>): Promise<string> {
  const path = finalCheckpointPath(run);
  await writeFileAtomically(path, chunks);
  return path;
}

/**
 * Reads a checkpoint file, or the latest checkpoint of a run directory.
 *
 * @throws {DataError} when there is none, or it is damaged
 */
export async function loadCheckpoint(path: string): Promise<Checkpoint> {
  const isDirectory = await explainFileErrors(`"${path}" cannot be read`, async () =>
    (await stat(path)).isDirectory(),
  );
  if (!isDirectory) return readCheckpoint(path);
  const { checkpoint } = await latestCheckpoint(path);
  if (checkpoint === undefined) {
    throw new DataError(
      `"${path}" holds no checkpoint: neither ${FINAL} nor ${CHECKPOINT_FOLDER}/step-….safetensors.`,
    );
  }
  return checkpoint;
}

/**
 * The latest checkpoint of a run directory, be it final or not.
 *
 * @param policy `use-previous` goes back to the latest intact checkpoint and returns what was damaged
 * @param atMost updates that it was made at, at most
 * @throws {DataError} when the latest is damaged and the policy is `fail`, naming the latest intact one
 */
export async function latestCheckpoint(
  run: string,
  policy: DamagePolicy = 'fail',
  atMost = Infinity,
): Promise<LatestCheckpoint> {
  const damaged: DamagedCheckpoint[] = [];
  let checkpoint: Checkpoint | undefined;
  for (const { path, read } of (await candidates(run)).filter(({ step }) => step <= atMost)) {
    const found = await read();
    if (found.problem === undefined) {
      checkpoint = found.checkpoint;
      break;
    }
    damaged.push({ path, problem: found.problem });
  }
  if (damaged.length > 0 && (policy === 'fail' || checkpoint === undefined)) {
    throw damagedError(damaged, checkpoint);
  }
  return { checkpoint, damaged };
}

function damagedError(damaged: readonly DamagedCheckpoint[], intact: Checkpoint | undefined): DataError {
  const problems = damaged.map(({ problem }) => problem).join(' ');
  const advice =
    intact === undefined
      ? 'No intact checkpoint is left: begin the run anew.'
      : `The latest intact checkpoint is ${intact.source} (step ${intact.step}): to go on from there, which makes ` +
        'the same steps again, move the damaged file away or ask for the previous checkpoint.';
  return new DataError(`${problems} ${advice}`);
}

async function readCheckpoint(path: string): Promise<Checkpoint> {
  const bytes = await explainFileErrors(`Checkpoint "${path}" cannot be read`, () => readFile(path));
  return decodeCheckpoint(bytes, `"${path}"`);
}

/** What reading a checkpoint gave. */
type Reading =
  | { readonly checkpoint: Checkpoint; readonly problem?: undefined }
  | { readonly checkpoint?: undefined; readonly problem: string; readonly isAbsent: boolean };

async function tryRead(path: string): Promise<Reading> {
  try {
    return { checkpoint: await readCheckpoint(path) };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return { problem: error.message, isAbsent: errorCode(error.cause) === 'ENOENT' };
  }
}

/** All checkpoints, the latest first. */
async function candidates(run: string): Promise<{ path: string; step: number; read(): Promise<Reading> }[]> {
  const found = (await stepCheckpoints(run)).map((entry) => ({ ...entry, read: () => tryRead(entry.path) }));
  const path = finalCheckpointPath(run);
  const final = await tryRead(path);
  if (final.checkpoint === undefined && final.isAbsent) return found;
  // Its name does not tell its step. A damaged one counts as the latest, so that it comes to light.
  const step = final.checkpoint?.step ?? Infinity;
  return [...found, { path, step, read: async () => final }].sort((a, b) => b.step - a.step);
}

/** Checkpoints by step, the latest first. */
async function stepCheckpoints(run: string): Promise<{ path: string; step: number }[]> {
  const folder = join(run, CHECKPOINT_FOLDER);
  const names = await explainFileErrors(`"${folder}" cannot be read`, async () => {
    try {
      return await readdir(folder);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    }
  });
  return names
    .flatMap((name) => {
      const step = NAME.exec(name)?.[1];
      return step === undefined ? [] : { path: join(folder, name), step: Number(step) };
    })
    .sort((a, b) => b.step - a.step);
}
