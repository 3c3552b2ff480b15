/**
 * Bytes that can be read from anywhere: a file, a Blob of a browser, memory. The parsers of this package see nothing
 * else, so that they run on any platform, and every read is checked against the size, so that a file which lies about
 * its contents cannot make them allocate.
 */
import { DataError } from '@meanflow/core';

export interface RandomAccess {
  /** What is read, for messages. */
  readonly source: string;
  /** Number of bytes. */
  readonly size: number;
  /**
   * The bytes `[begin, begin + length)`. They belong to the caller.
   *
   * @throws {DataError} when they are not all there
   */
  read(begin: number, length: number): Promise<Uint8Array>;
}

/** Files below a folder, by paths with `/`. */
export interface Folder {
  /** What is read, for messages. */
  readonly source: string;
  /** Paths of all files, sorted. @throws {DataError} when the folder cannot be read */
  list(): Promise<readonly string[]>;
  /** @throws {DataError} when there is no such file */
  open(path: string): Promise<RandomAccess>;
}

/** Bytes of a piece: large enough that calls do not count, small beside a tensor. */
const PIECE = 1 << 22;
/** Bytes of the first one: whoever looks at a header alone reads no more. */
const FIRST_PIECE = 1 << 16;

/**
 * A source whose reads are checked.
 *
 * @param fetch reads a range that lies inside
 */
export function randomAccess(
  source: string,
  size: number,
  fetch: (begin: number, length: number) => Promise<Uint8Array>,
): RandomAccess {
  return {
    source,
    size,
    read: async (begin, length) => {
      checkRange(source, size, begin, length);
      const bytes = await fetch(begin, length);
      if (bytes.length !== length) {
        throw new DataError(`${source} gave ${bytes.length} bytes where ${length} were asked for.`);
      }
      return bytes;
    },
  };
}

function checkRange(source: string, size: number, begin: number, length: number): void {
  const isRange = Number.isSafeInteger(begin) && Number.isSafeInteger(length) && begin >= 0 && length >= 0;
  if (isRange && begin + length <= size) return;
  throw new DataError(
    `${source} has ${size} bytes; bytes ${begin} to ${begin + length} were expected: it is truncated or damaged.`,
  );
}

/** Bytes in memory. */
export function bytesAccess(bytes: Uint8Array, source: string): RandomAccess {
  return randomAccess(source, bytes.length, async (begin, length) => bytes.slice(begin, begin + length));
}

/** A file that a user of a browser chose, or one that was fetched. */
export function blobAccess(blob: Blob, source: string): RandomAccess {
  return randomAccess(
    source,
    blob.size,
    async (begin, length) => new Uint8Array(await blob.slice(begin, begin + length).arrayBuffer()),
  );
}

/**
 * Part of a source.
 *
 * @throws {DataError} when it lies outside
 */
export function section(
  access: RandomAccess,
  begin: number,
  length: number,
  source = access.source,
): RandomAccess {
  checkRange(access.source, access.size, begin, length);
  return randomAccess(source, length, (offset, count) => access.read(begin + offset, count));
}

/** All bytes in order, in pieces of whole elements of up to 16 bytes. */
export async function* piecesOf(access: RandomAccess): AsyncGenerator<Uint8Array> {
  for (let begin = 0; begin < access.size;) {
    const length = Math.min(begin === 0 ? FIRST_PIECE : PIECE, access.size - begin);
    yield await access.read(begin, length);
    begin += length;
  }
}

/** All bytes. Only for what was checked to be small, or to be one tensor. */
export async function readAll(access: RandomAccess, limit: number): Promise<Uint8Array> {
  if (access.size > limit) {
    throw new DataError(`${access.source} has ${access.size} bytes; at most ${limit} were expected.`);
  }
  return access.read(0, access.size);
}

/** Text of a small file. @throws {DataError} when it is longer than `limit` bytes or not UTF-8 */
export async function readText(access: RandomAccess, limit: number): Promise<string> {
  const bytes = await readAll(access, limit);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new DataError(`${access.source} is not UTF-8 text.`);
  }
}
