/**
 * Files that are there whole or not at all: written beside their place under a temporary name, flushed to the disk,
 * and renamed. Whoever is killed in between leaves the old file as it was, and a temporary one to be cleared away.
 */
import { open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { explainFileErrors } from '@meanflow/formats/node';

const TEMPORARY = '.tmp';

/**
 * Writes or replaces a file.
 *
 * @param chunks the content, in order; it may come over time, so that it need not be in memory all at once
 * @throws {DataError} when it cannot be written; the file is then as it was before
 */
export async function writeFileAtomically(
  path: string,
  chunks: Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>,
): Promise<void> {
  const temporary = `${path}.${process.pid}${TEMPORARY}`;
  await explainFileErrors(`"${path}" cannot be written`, async () => {
    const file = await open(temporary, 'w');
    try {
      try {
        for await (const chunk of chunks) await file.writeFile(chunk);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncDirectory(dirname(path));
  });
}

/** Makes renames and removals in a directory last through a power failure, where the platform can. */
export async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open directories, and orders such changes in its journal.
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Removes what an interrupted `writeFileAtomically` left in a directory. Call it only where nobody else writes. */
export async function removeTemporaryFiles(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(TEMPORARY));
  for (const name of names) await rm(join(directory, name), { force: true });
}
