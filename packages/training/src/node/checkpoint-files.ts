/**
 * The checkpoints of a run on the disk: `checkpoints/step-00001000.safetensors` while it trains, of which the last few
 * are kept, and `final.safetensors` when it is done. Which one is the latest, and whether it is intact, is found out
 * by reading all of it; one that is damaged is passed over for the one before, never in silence, and one that is not what
 * its name says is an error.
 */
import { lstat, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '@meanflow/core';
import { errorCode, explainFileErrors, fileAccess } from '@meanflow/formats/node';
import { readCheckpoint, verifyCheckpoint, type Checkpoint } from '../checkpoint.js';
import { syncDirectory, writeFileAtomically, type FileContent } from './atomic-file.js';
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
  content: FileContent,
  keep: number,
): Promise<string> {
  const path = stepCheckpointPath(run, step);
  await writeFileAtomically(path, content);
  await removeCheckpoints(
    run,
    (await stepCheckpoints(run)).filter((entry) => entry.step <= step).slice(keep),
  );
  return path;
}

/** Removes the checkpoints of steps beyond `step`, of a run that went back to it: no one is to go on from them. */
export async function removeLaterCheckpoints(run: string, step: number): Promise<void> {
  await removeCheckpoints(
    run,
    (await stepCheckpoints(run)).filter((entry) => entry.step > step),
  );
}

async function removeCheckpoints(run: string, entries: readonly { readonly path: string }[]): Promise<void> {
  for (const { path } of entries) {
    // Folders, pipes and devices of such a name are somebody else's.
    const found = await lstat(path);
    if (found.isFile() || found.isSymbolicLink()) await rm(path, { force: true });
  }
  if (entries.length > 0) await syncDirectory(join(run, CHECKPOINT_FOLDER));
}

/** Writes the final checkpoint. */
export async function writeFinalCheckpoint(run: string, content: FileContent): Promise<string> {
  const path = finalCheckpointPath(run);
  await writeFileAtomically(path, content);
  return path;
}

export interface LoadCheckpointOptions {
  /** `use-previous` by default. */
  readonly onDamage?: DamagePolicy;
  /** Told of each later checkpoint of a run that was damaged and passed over. */
  readonly onPassedOver?: (damaged: DamagedCheckpoint) => void;
}

/**
 * Reads a checkpoint file, or the latest intact checkpoint of a run directory.
 *
 * @throws {DataError} when there is none, or it is damaged
 */
export async function loadCheckpoint(path: string, options: LoadCheckpointOptions = {}): Promise<Checkpoint> {
  const isDirectory = await explainFileErrors(`"${path}" cannot be read`, async () =>
    (await stat(path)).isDirectory(),
  );
  if (!isDirectory) return openCheckpointFile(path);
  const { checkpoint, damaged } = await latestCheckpoint(path, options.onDamage);
  if (checkpoint === undefined) {
    throw new DataError(
      `"${path}" holds no checkpoint: neither ${FINAL} nor ${CHECKPOINT_FOLDER}/step-….safetensors.`,
    );
  }
  damaged.forEach((each) => options.onPassedOver?.(each));
  return checkpoint;
}

/**
 * The latest checkpoint of a run directory, be it final or not.
 *
 * @param policy `use-previous`, the default, goes back to the latest intact checkpoint and returns what was damaged
 * @param atMost updates that it was made at, at most
 * @throws {DataError} when none is intact, or the latest is damaged and the policy is `fail`: says what is wrong with each;
 *   or when one does not hold the step that its name says
 */
export async function latestCheckpoint(
  run: string,
  policy: DamagePolicy = 'use-previous',
  atMost = Infinity,
): Promise<LatestCheckpoint> {
  const damaged: DamagedCheckpoint[] = [];
  let checkpoint: Checkpoint | undefined;
  for (const { path, step, header } of (await candidates(run)).filter(({ step }) => step <= atMost)) {
    const found = header ?? (await tryRead(() => openCheckpointFile(path)));
    if (found.checkpoint !== undefined && found.checkpoint.step !== step) {
      throw new DataError(
        `"${path}" holds step ${found.checkpoint.step}, which is not what its name says: it was renamed, or comes from another ` +
          'run. Give it its own name, or move it away.',
      );
    }
    const { problem } =
      found.checkpoint === undefined ? found : await tryRead(() => verified(found.checkpoint));
    if (problem === undefined) {
      checkpoint = found.checkpoint;
      break;
    }
    damaged.push({ path, problem });
  }
  if (damaged.length > 0 && (policy === 'fail' || checkpoint === undefined)) {
    throw damagedError(damaged, checkpoint);
  }
  return { checkpoint, damaged };
}

function damagedError(damaged: readonly DamagedCheckpoint[], intact: Checkpoint | undefined): DataError {
  const problems = damaged.map(({ problem }) => problem).join('\n');
  const advice =
    intact === undefined
      ? 'No intact checkpoint is left: begin the run anew.'
      : `The latest intact checkpoint is ${intact.source} (step ${intact.step}): to go on from there, which makes ` +
        'the same steps again, move the damaged file away or ask for the previous checkpoint.';
  return new DataError(`${problems}\n${advice}`);
}

async function openCheckpointFile(path: string): Promise<Checkpoint> {
  return readCheckpoint(await fileAccess(path));
}

async function verified(checkpoint: Checkpoint): Promise<Checkpoint> {
  await verifyCheckpoint(checkpoint);
  return checkpoint;
}

/** What reading a checkpoint gave. */
type Reading =
  | { readonly checkpoint: Checkpoint; readonly problem?: undefined }
  | { readonly checkpoint?: undefined; readonly problem: string; readonly isAbsent: boolean };

async function tryRead(read: () => Promise<Checkpoint>): Promise<Reading> {
  try {
    return { checkpoint: await read() };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return { problem: error.message, isAbsent: errorCode(error.cause) === 'ENOENT' };
  }
}

/** A checkpoint that may be there, and the step that its name, or of the final one its header, says. */
interface Candidate {
  readonly path: string;
  readonly step: number;
  readonly header?: Reading;
}

/** All checkpoints, the latest first. */
async function candidates(run: string): Promise<Candidate[]> {
  const found: Candidate[] = await stepCheckpoints(run);
  const path = finalCheckpointPath(run);
  const header = await tryRead(() => openCheckpointFile(path));
  if (header.checkpoint === undefined && header.isAbsent) return found;
  // Its name does not tell its step. A damaged one counts as the latest, so that it comes to light.
  const step = header.checkpoint?.step ?? Infinity;
  return [...found, { path, step, header }].sort((a, b) => b.step - a.step);
}

/** All checkpoints of a run, the latest first; of a final one that is damaged the step is not known. */
export async function runCheckpoints(
  run: string,
): Promise<{ readonly path: string; readonly step: number | undefined }[]> {
  return (await candidates(run)).map(({ path, step }) => ({
    path,
    step: step === Infinity ? undefined : step,
  }));
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
