/**
 * Files and folders of Node as sources. A file is opened for each read and closed after it, so that nothing is left open
 * however reading ends. Links are followed: downloads are often kept as links to one store.
 */
import type { Stats } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '@meanflow/core';
import { printable } from '@meanflow/core/validation';
import { randomAccess, type Folder, type RandomAccess } from '../access/random-access.js';
import { explainFileErrors } from './file-errors.js';

/** Longer than any path that an operating system takes. */
const LONGEST_PATH = 4096;
const DEEPEST = 16;
const MOST_FILES = 200_000;

/** Bytes that are asked of the operating system at once; it gives less than 2 GiB. */
const CHUNK = 1 << 28;

/**
 * A file, which is read by ranges: it may be larger than memory.
 *
 * @param options.chunkBytes bytes asked of the operating system at once; for tests
 * @throws {DataError} when there is no such file, it cannot be read, or it is a pipe, a device or a folder
 */
export async function fileAccess(
  path: string,
  { chunkBytes = CHUNK }: { readonly chunkBytes?: number } = {},
): Promise<RandomAccess> {
  const source = named(path);
  const cannot = `${source} cannot be read`;
  const { size } = await explainFileErrors(cannot, async () => {
    // Asked for first: to open a pipe would wait for who writes into it.
    const found = await stat(path);
    if (!found.isFile()) throw new DataError(`${cannot}: it is ${kindOf(found)}, not a file.`);
    return found;
  });
  return randomAccess(source, size, (begin, target) =>
    explainFileErrors(cannot, async () => {
      const file = await open(path, 'r');
      try {
        let filled = 0;
        while (filled < target.length) {
          const length = Math.min(chunkBytes, target.length - filled);
          const { bytesRead } = await file.read(target, filled, length, begin + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return filled;
      } finally {
        await file.close();
      }
    }),
  );
}

/** A path as messages name it. */
function named(path: string): string {
  return `"${printable(path, LONGEST_PATH)}"`;
}

function kindOf(found: Stats): string {
  if (found.isDirectory()) return 'a folder';
  if (found.isFIFO()) return 'a pipe';
  if (found.isSocket()) return 'a socket';
  return 'a device';
}

/** @throws {DataError} when there is no such folder */
export async function fileFolder(path: string): Promise<Folder> {
  const isFolder = await explained(path, async () => (await stat(path)).isDirectory());
  if (!isFolder) throw new DataError(`"${path}" is not a folder.`);
  let listed: Promise<readonly string[]> | undefined;
  return {
    source: `"${path}"`,
    list: () => (listed ??= listFiles(path)),
    open: (name) => {
      if (name.split('/').includes('..') || name.startsWith('/')) {
        throw new DataError(`${JSON.stringify(name)} lies outside of "${path}".`);
      }
      return fileAccess(join(path, name));
    },
  };
}

/** Whether a path is a folder. @throws {DataError} when there is nothing */
export async function isFolder(path: string): Promise<boolean> {
  return explained(path, async () => (await stat(path)).isDirectory());
}

async function listFiles(root: string): Promise<readonly string[]> {
  const files: string[] = [];
  const walk = async (folder: string, prefix: string, depth: number): Promise<void> => {
    if (depth > DEEPEST)
      throw new DataError(`"${root}" is nested more than ${DEEPEST} deep: it is no checkpoint.`);
    const entries = await explained(folder, () => readdir(folder, { withFileTypes: true }));
    for (const entry of entries) {
      const path = join(folder, entry.name);
      const target = entry.isSymbolicLink() ? await explained(path, () => stat(path)) : entry;
      if (target.isDirectory()) await walk(path, `${prefix}${entry.name}/`, depth + 1);
      else if (target.isFile()) files.push(prefix + entry.name);
      if (files.length > MOST_FILES)
        throw new DataError(`"${root}" holds more than ${MOST_FILES} files: it is no checkpoint.`);
    }
  };
  await walk(root, '', 0);
  return files.sort();
}

function explained<T>(path: string, work: () => Promise<T>): Promise<T> {
  return explainFileErrors(`${named(path)} cannot be read`, work);
}
