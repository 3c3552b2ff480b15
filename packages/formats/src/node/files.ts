/**
 * Files and folders of Node as sources. A file is opened for each read and closed after it, so that nothing is left open
 * however reading ends. Links are followed: downloads are often kept as links to one store.
 */
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '@meanflow/core';
import { randomAccess, type Folder, type RandomAccess } from '../access/random-access.js';

const DEEPEST = 16;
const MOST_FILES = 200_000;

/** @throws {DataError} when there is no such file, or it cannot be read */
export async function fileAccess(path: string): Promise<RandomAccess> {
  const source = `"${path}"`;
  const { size } = await explained(path, async () => {
    const found = await stat(path);
    if (!found.isFile()) throw new DataError(`${source} is not a file.`);
    return found;
  });
  return randomAccess(source, size, (begin, length) =>
    explained(path, async () => {
      const file = await open(path, 'r');
      try {
        const bytes = new Uint8Array(length);
        let filled = 0;
        while (filled < length) {
          const { bytesRead } = await file.read(bytes, filled, length - filled, begin + filled);
          if (bytesRead === 0) break;
          filled += bytesRead;
        }
        return bytes.subarray(0, filled);
      } finally {
        await file.close();
      }
    }),
  );
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

const explanations: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission is denied',
  ENOTDIR: 'part of the path is a file, not a folder',
  EMFILE: 'too many files are open',
};

async function explained<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DataError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new DataError(`"${path}" cannot be read: ${explanations[code ?? ''] ?? message}.`, {
      cause: error,
    });
  }
}
