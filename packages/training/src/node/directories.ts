/**
 * Folders: made with their parents, looked at before something is put into them, and kept to. What a run writes, cuts
 * or removes lies in its own folder: a link that leads out of it is an error, wherever it points.
 */
import { mkdir, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { DataError } from '@meanflow/core';
import { errorCode } from '@meanflow/formats/node';
import { isTemporaryFile } from './atomic-file.js';

/**
 * Makes a folder, with its parents. Unlike `mkdir` with `recursive` it ends where nothing can be made, as in `/proc`
 * (Node 20 tries for ever).
 *
 * @throws {DataError} where the parent is there and yet nothing can be made in it
 * @throws the file system's error
 */
export async function makeDirectory(path: string): Promise<void> {
  const place = resolve(path);
  if (await tryMake(place)) return;
  const parent = dirname(place);
  if (parent !== place && !(await isDirectory(parent))) await makeDirectory(parent);
  if (await tryMake(place)) return;
  throw new DataError(
    `The folder "${place}" cannot be made: the file system of "${parent}" lets nothing be made there (ENOENT).`,
  );
}

/** @returns false where a parent is missing, or is said to be */
async function tryMake(place: string): Promise<boolean> {
  try {
    await mkdir(place);
    return true;
  } catch (error) {
    if (await isDirectory(place)) return true;
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** What file managers leave in every folder that was looked at. */
const OF_THE_SYSTEM = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini']);

/**
 * What somebody else has put into a folder: the first such name, or undefined where it is empty or not there. What an
 * interrupted beginning of ours left does not count.
 *
 * @param ours names of entries that do not count
 */
export async function foreignEntry(path: string, ours: readonly string[] = []): Promise<string | undefined> {
  let names: string[];
  try {
    names = await readdir(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  return names
    .sort()
    .find((name) => !OF_THE_SYSTEM.has(name) && !ours.includes(name) && !isTemporaryFile(name));
}

/**
 * Makes sure that a path of a folder, if it is there, lies in it also when links are followed.
 *
 * @throws {DataError} naming the link and where it leads
 */
export async function checkWithin(folder: string, path: string): Promise<void> {
  let real: string;
  try {
    real = await realpath(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return;
  }
  const inside = relative(await realpath(folder), real);
  if (inside !== '..' && !/^\.\.[\\/]/.test(inside) && !isAbsolute(inside)) return;
  throw new DataError(
    `"${path}" is a link to "${real}", out of the folder "${folder}": nothing is written or removed there. Remove the link, or ` +
      'move what it leads to into the folder.',
  );
}
