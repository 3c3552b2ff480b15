/**
 * Files that are there whole or not at all: written beside their place under a temporary name, flushed to the disk,
 * and renamed. Whoever is killed in between leaves the old file as it was, and a temporary one to be cleared away.
 */
import { randomBytes } from 'node:crypto';
import { lstat, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DataError } from '@meanflow/core';
import type { FilePart } from '@meanflow/formats/build';
import { errorCode, explainFileErrors } from '@meanflow/formats/node';

/** Bytes that are given to the operating system at once; it takes less than 2 GiB. */
const MOST_AT_ONCE = 2 ** 28;

/** What the temporary files of this module, and no others, end in. */
const TEMPORARY = /\.meanflow-[0-9a-f]{16}\.tmp$/;

/** Whether a name is that of a temporary file of ours. */
export function isTemporaryFile(name: string): boolean {
  return TEMPORARY.test(name);
}

/** What a file is to hold, in order. */
export type FileContent = Iterable<FilePart | string> | AsyncIterable<FilePart | string>;

/**
 * Writes or replaces a file.
 *
 * @param chunks the content, in order; it may come over time, so that it need not be in memory all at once. What is to be
 *   at a place that was written already, such as checksums in a header, says where
 * @throws {DataError} when it cannot be written, or something is there that is no file; it is then as it was before
 */
export async function writeFileAtomically(path: string, chunks: FileContent): Promise<void> {
  const temporary = `${path}.meanflow-${randomBytes(8).toString('hex')}.tmp`;
  await explainFileErrors(`"${path}" cannot be written`, async () => {
    await checkReplaceable(path);
    // Only a new file will do: whatever has this name already, or a link of this name, is not ours.
    const file = await open(temporary, 'wx');
    try {
      try {
        for await (const chunk of chunks) {
          if (typeof chunk === 'string' || !('position' in chunk)) await writeAll(file, chunk);
          else await writeAll(file, chunk.bytes, chunk.position);
        }
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      // What went wrong before is what is told.
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
    await syncDirectory(dirname(path));
  });
}

/**
 * Writes all of a chunk: the operating system may take a part of it at a time, as where the disk is nearly full.
 *
 * @param begin where to; by default after what was written before
 * @throws the file system's error
 */
export async function writeAll(file: FileHandle, chunk: Uint8Array | string, begin?: number): Promise<void> {
  const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(
      bytes,
      at,
      Math.min(bytes.length - at, MOST_AT_ONCE),
      begin === undefined ? null : begin + at,
    );
    if (bytesWritten === 0) throw Object.assign(new Error('nothing was written'), { code: 'EIO' });
    at += bytesWritten;
  }
}

/** A rename would put a file in the place of a device or a pipe, `/dev/null` too. */
async function checkReplaceable(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined || found.isFile()) return;
  if (found.isDirectory()) throw Object.assign(new Error('it is a directory'), { code: 'EISDIR' });
  throw new DataError(
    `"${path}" cannot be written: it is no regular file, but a device, a pipe or a socket.`,
  );
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
  for (const name of (await readdir(directory)).filter(isTemporaryFile)) {
    const path = join(directory, name);
    if ((await lstat(path)).isFile()) await rm(path, { force: true });
  }
}
