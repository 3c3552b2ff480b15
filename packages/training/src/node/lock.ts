/**
 * A lock against two trainers in one directory: the operating system's advisory lock on a file (of the open file on
 * Linux, `flock` or `LockFileEx` elsewhere). It is gone the moment its holder is, however that ends, and holds between
 * threads, containers and machines as far as the file system they share does. What the file says is for people only.
 */
import { constants } from 'node:fs';
import { open, rm, stat, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';
import { DataError } from '@meanflow/core';
import { isObject } from '@meanflow/formats/build';
import { errorCode } from '@meanflow/formats/node';
import { writeAll } from './atomic-file.js';
import { engineLocks, type FileLocks } from './file-locks.js';

/** A held lock. */
export interface Lock {
  /** Gives the lock up; doing so twice is allowed. */
  release(): Promise<void>;
}

/** Windows keeps others from reading what is locked, so that it is not what the file says. */
const LOCKED_BYTE = 1 << 20;
/** Longer texts are not ours. */
const MOST_TEXT = 4096;

/**
 * Takes a lock.
 *
 * @param path the lock's file, which is made, and removed in the end
 * @param what what is locked, for the error
 * @throws {DataError} when somebody else holds it, in this process or another, or it cannot be locked at all
 */
export async function acquireLock(
  path: string,
  what: string,
  locks: () => FileLocks = engineLocks,
): Promise<Lock> {
  if (process.env.MEANFLOW_NO_LOCK === '1') return { release: async () => {} };
  const { tryLock } = loaded(locks, what);
  for (;;) {
    // A link of this name is somebody else's: not followed.
    const flags = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
    const file = await open(path, flags, 0o666);
    try {
      if (!lockByte(tryLock, file, what)) throw inUse(what, await textOf(file));
      // Whoever held it before may have removed the file since it was opened here.
      if (await isAt(path, file)) {
        await file.truncate(0);
        await writeAll(file, ownText());
        return held(path, file);
      }
    } catch (error) {
      await file.close();
      throw error;
    }
    await file.close();
  }
}

/** The open files of all that is held: one that nobody refers to would be closed, and its lock be gone with it. */
const kept = new Set<FileHandle>();

function held(path: string, file: FileHandle): Lock {
  kept.add(file);
  return {
    async release() {
      if (!kept.delete(file)) return;
      try {
        // Before it is given up: afterwards the file may be somebody else's.
        if (await isAt(path, file)) await rm(path, { force: true }).catch(() => undefined);
      } finally {
        await file.close();
      }
    },
  };
}

/** What two trainers would do is worse than none, so nobody goes on without a lock but who says so. */
const UNLOCKED =
  "Two trainers in one folder would destroy each other's checkpoints. Where nobody else can train there, go on without a lock " +
  'with MEANFLOW_NO_LOCK=1.';

function loaded(locks: () => FileLocks, what: string): FileLocks {
  try {
    return locks();
  } catch (error) {
    throw new DataError(
      `${what} cannot be locked: the native library fs-native-extensions does not load on ${process.platform}-${process.arch} ` +
        `(${(error as Error).message.split('\n')[0]}); it has builds for Linux with glibc, macOS and Windows. ${UNLOCKED}`,
      { cause: error },
    );
  }
}

function lockByte(tryLock: FileLocks['tryLock'], file: FileHandle, what: string): boolean {
  try {
    return tryLock(file.fd, LOCKED_BYTE, 1);
  } catch (error) {
    // POSIX lets systems say so in two ways.
    if (errorCode(error) === 'EACCES' || errorCode(error) === 'EBUSY') return false;
    throw new DataError(
      `${what} cannot be locked: its file system has no locks (${errorCode(error) ?? (error as Error).message}), as some network ` +
        `mounts. Train on another disk. ${UNLOCKED}`,
      { cause: error },
    );
  }
}

async function isAt(path: string, file: FileHandle): Promise<boolean> {
  try {
    const [there, own] = await Promise.all([stat(path), file.stat()]);
    return there.ino === own.ino && there.dev === own.dev;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

function ownText(): string {
  return `${JSON.stringify({ pid: process.pid, thread: threadId, host: hostname(), since: new Date().toISOString() })}\n`;
}

async function textOf(file: FileHandle): Promise<string> {
  const buffer = Buffer.alloc(MOST_TEXT);
  const { bytesRead } = await file.read(buffer, 0, MOST_TEXT, 0);
  return buffer.toString('utf8', 0, bytesRead);
}

function inUse(what: string, text: string): DataError {
  return new DataError(`${what} is in use by ${holder(text)}. Wait for it, or stop it.`);
}

/** Who holds it, as far as the file says. */
function holder(text: string): string {
  try {
    const said: unknown = JSON.parse(text);
    if (isObject(said) && Number.isSafeInteger(said.pid) && typeof said.host === 'string') {
      return `process ${said.pid as number} on ${said.host}`;
    }
  } catch {
    // Whoever has it has not yet written who it is.
  }
  return 'another process';
}
