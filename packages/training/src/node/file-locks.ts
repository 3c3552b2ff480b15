/**
 * How an engine locks an open file. Node does so through `fs-native-extensions` (locks of the open file on Linux, `flock` or
 * `LockFileEx` elsewhere). Bun and Deno lack what that calls of libuv, and call the C library's `flock` themselves; on Linux the two
 * kinds do not see each other.
 */
import { createRequire } from 'node:module';

/** What is used of `fs-native-extensions`. */
export interface FileLocks {
  /** @returns false when another open file holds the lock */
  tryLock(fd: number, offset: number, length: number): boolean;
}

/** From C's headers: an exclusive lock, or none at once. */
const LOCK_EX_OR_FAIL = 2 | 4;

const libraries: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  linux: 'libc.so.6',
  darwin: 'libSystem.B.dylib',
};

type Flock = (fd: number, operation: number) => number;
type OpenLibrary<Symbol> = (
  library: string,
  symbols: { readonly flock: Symbol },
) => { readonly symbols: { readonly flock: Flock } };

interface BunForeign {
  readonly dlopen: OpenLibrary<{ readonly args: readonly string[]; readonly returns: string }>;
}

interface DenoHost {
  readonly Deno?: {
    readonly dlopen: OpenLibrary<{ readonly parameters: readonly string[]; readonly result: string }>;
  };
}

/** @throws {Error} when the engine cannot lock files here */
export function engineLocks(): FileLocks {
  const require = createRequire(import.meta.url);
  const { Deno } = globalThis as DenoHost;
  if (Deno === undefined && process.versions.bun === undefined) {
    return require('fs-native-extensions') as FileLocks;
  }
  const library = libraries[process.platform];
  if (library === undefined) throw new Error('Bun and Deno lock files on Linux and macOS only');
  const { symbols } =
    Deno !== undefined
      ? Deno.dlopen(library, { flock: { parameters: ['i32', 'i32'], result: 'i32' } })
      : (require('bun:ffi') as BunForeign).dlopen(library, {
          flock: { args: ['i32', 'i32'], returns: 'i32' },
        });
  // What went wrong is not told beside −1: nearly always, somebody else has it.
  return { tryLock: (fd) => symbols.flock(fd, LOCK_EX_OR_FAIL) === 0 };
}
