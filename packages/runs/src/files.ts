/** Files as commands use them: folders made when something is to be written, failures in words, contents there whole or not at all. */
import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DataError } from '@meanflow/core';
import { foreignEntry, makeDirectory, writeFileAtomically } from '@meanflow/training/node';

const explanations: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission is denied',
  EPERM: 'the operation is not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left on the device',
  ENOTDIR: 'part of the path is a file, not a folder',
  EISDIR: 'it is a folder, not a file',
  EEXIST: 'part of the path is a file, not a folder',
};

/** Does something with files; a failure of the file system becomes a DataError that begins with `action`. */
export async function withFileErrors<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = (error ?? {}) as NodeJS.ErrnoException;
    if (typeof code !== 'string' || error instanceof DataError) throw error;
    throw new DataError(`${action}: ${explanations[code] ?? message}.`, { cause: error });
  }
}

/** What is known of somebody's will to overwrite. */
export interface Overwriting {
  /** Asks a question that is answered by yes or no; only where somebody is there to answer. */
  readonly confirm?: ((question: string) => Promise<boolean>) | undefined;
  /** Whether it was said beforehand: `--force`. */
  readonly force?: boolean | undefined;
}

/**
 * Makes sure, before long work, that no file is overwritten unasked.
 *
 * @throws {DataError} when one of the files is there and nobody says, or is there to say, that it may go
 */
export async function checkOverwrite(
  paths: readonly (string | undefined)[],
  { confirm, force = false }: Overwriting,
): Promise<void> {
  for (const path of paths) {
    // What is no file is for the writing to refuse.
    if (force || path === undefined || !(await isFile(path))) continue;
    if (await confirm?.(`"${path}" is there already. Overwrite it?`)) continue;
    throw overwriteError(path);
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

/** That a file is there, and how to go on. */
export function overwriteError(path: string): DataError {
  return new DataError(
    `"${path}" is there already, and is left as it is. Overwrite it with --force, or choose another place with --out.`,
  );
}

/** Writes a file, with the folders it lies in. */
export function writeOutput(path: string, content: Uint8Array | string): Promise<void> {
  return writeOutputs(path, [content]);
}

/**
 * Makes sure, before long work, that its result can be written: makes the folders that the file will lie in.
 *
 * @throws {DataError} when it cannot be written
 */
export async function prepareOutput(path: string): Promise<void> {
  await withFileErrors(`"${path}" cannot be written`, async () => {
    await makeDirectory(dirname(path));
    await access(dirname(path), constants.W_OK);
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory()) throw Object.assign(new Error(`${path} is a folder`), { code: 'EISDIR' });
  });
}

/** Writes a file piece by piece, with the folders it lies in. */
export async function writeOutputs(path: string, chunks: Iterable<Uint8Array | string>): Promise<void> {
  await withFileErrors(`"${path}" cannot be written`, () => makeDirectory(dirname(path)));
  await writeFileAtomically(path, chunks);
}

/**
 * Makes a folder for new results, with its parents.
 *
 * @throws {DataError} when it cannot be made, or holds something
 */
export async function makeOutputFolder(path: string): Promise<void> {
  await withFileErrors(`The folder "${path}" cannot be written`, async () => {
    const found = await foreignEntry(path);
    if (found !== undefined) {
      throw new DataError(
        `The folder "${path}" is not empty: there is "${found}" in it. Choose another one with --out.`,
      );
    }
    await makeDirectory(path);
  });
}
