/**
 * A lock against two trainers in one directory: a file that names the process which holds it. The lock of a process
 * that is gone is taken over. It guards against mistakes, not against malice.
 */
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { DataError } from '@meanflow/core';
import { isObject } from '@meanflow/formats';
import { errorCode } from '@meanflow/formats/node';

/** What this very process has locked, or is about to. */
const held = new Set<string>();

interface Owner {
  readonly pid: number;
  readonly host: string;
}

/** A held lock. */
export interface Lock {
  /** Gives the lock up; doing so twice is allowed. */
  release(): Promise<void>;
}

/**
 * Takes a lock.
 *
 * @param path the lock's file
 * @param what what is locked, for the error
 * @throws {DataError} when another process, or this one, holds it
 */
export async function acquireLock(path: string, what: string): Promise<Lock> {
  const place = resolve(path);
  const own: Owner = { pid: process.pid, host: hostname() };
  if (held.has(place)) throw inUse(path, what, own);
  held.add(place);
  try {
    await linkLock(path, what, own);
  } catch (error) {
    held.delete(place);
    throw error;
  }
  return {
    async release() {
      if (held.delete(place)) await rm(path, { force: true });
    },
  };
}

async function linkLock(path: string, what: string, own: Owner): Promise<void> {
  const prepared = `${path}.${own.pid}`;
  await writeFile(prepared, JSON.stringify(own));
  try {
    // A link appears with its content, at once, and only where there is none: unlike an open for writing.
    while (!(await tryLink(prepared, path))) {
      const owner = await readOwner(path);
      if (owner !== undefined && isAlive(owner)) throw inUse(path, what, owner);
      await removeStale(path, `${prepared}.stale`, owner);
    }
  } finally {
    await rm(prepared, { force: true });
  }
}

function inUse(path: string, what: string, { pid, host }: Owner): DataError {
  return new DataError(
    `${what} is in use by process ${pid} on ${host}. Wait for it or stop it; if no such process trains there, delete ` +
      `"${path}".`,
  );
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Who holds the lock: `undefined` when it is gone or unreadable. */
async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    const owner: unknown = JSON.parse(await readFile(path, 'utf8'));
    const isOwner = isObject(owner) && typeof owner.pid === 'number' && typeof owner.host === 'string';
    return isOwner ? { pid: owner.pid as number, host: owner.host as string } : undefined;
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isAlive({ pid, host }: Owner): boolean {
  // Whether a process lives can be asked on its own machine only.
  if (host !== hostname()) return true;
  // A process before us that had our number; what we hold ourselves is in `held`.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/** Removes a lock whose owner is gone, unless somebody else was quicker and the lock is theirs now. */
async function removeStale(path: string, aside: string, stale: Owner | undefined): Promise<void> {
  try {
    await rename(path, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  const moved = await readOwner(aside);
  if (moved?.pid !== stale?.pid || moved?.host !== stale?.host) await tryLink(aside, path);
  await rm(aside, { force: true });
}
