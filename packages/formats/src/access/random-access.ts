/**
 * Bytes that can be read from anywhere: a file, a Blob of a browser, memory. The parsers of this package see nothing
 * else, so that they run on any platform, and every read is checked against the size, so that a file which lies about
 * its contents cannot make them allocate.
 */
import { DataError, type BlobLike } from '@meanflow/core';

export interface RandomAccess {
  /** What is read, for messages. */
  readonly source: string;
  /** Number of bytes. */
  readonly size: number;
  /**
   * The bytes `[begin, begin + length)`. They belong to the caller.
   *
   * @throws {DataError} when they are not all there, or are more than an array can hold
   */
  read(begin: number, length: number): Promise<Uint8Array>;
  /**
   * Fills `target` with the bytes from `begin` on: a tensor's own memory, so that it is there once.
   *
   * @throws {DataError} when they are not all there
   */
  readInto(begin: number, target: Uint8Array): Promise<void>;
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
 * @param fill puts the bytes of a range that lies inside into an array, and returns how many there were
 */
export function randomAccess(
  source: string,
  size: number,
  fill: (begin: number, target: Uint8Array) => Promise<number>,
): RandomAccess {
  const readInto = async (begin: number, target: Uint8Array): Promise<void> => {
    checkRange(source, size, begin, target.length);
    const filled = await fill(begin, target);
    if (filled !== target.length) {
      throw new DataError(
        `${source} gave ${filled} bytes where ${target.length} were asked for: it became shorter.`,
      );
    }
  };
  return {
    source,
    size,
    readInto,
    read: async (begin, length) => {
      checkRange(source, size, begin, length);
      const bytes = allocated(Uint8Array, length, source);
      await readInto(begin, bytes);
      return bytes;
    },
  };
}

/**
 * An array of zeros.
 *
 * @param what what is to be in it, for the error
 * @throws {DataError} when it is larger than an array can be here, or than the memory that is left
 */
export function allocated<T extends ArrayBufferView>(
  Type: { new (length: number): T; readonly BYTES_PER_ELEMENT: number },
  length: number,
  what: string,
): T {
  try {
    return new Type(length);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'RangeError') throw error;
    throw new DataError(
      `${what} needs ${length * Type.BYTES_PER_ELEMENT} bytes in one array, more than can be had here (${error.message}).`,
      { cause: error },
    );
  }
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
  return randomAccess(source, bytes.length, async (begin, target) => {
    target.set(bytes.subarray(begin, begin + target.length));
    return target.length;
  });
}

/** A file that a user of a browser chose, or one that was fetched. */
export function blobAccess(blob: BlobLike, source: string): RandomAccess {
  return randomAccess(source, blob.size, async (begin, target) => {
    for (let filled = 0; filled < target.length;) {
      const end = Math.min(target.length, filled + PIECE);
      const piece = new Uint8Array(await blob.slice(begin + filled, begin + end).arrayBuffer());
      if (piece.length === 0) return filled;
      target.set(piece, filled);
      filled += piece.length;
    }
    return target.length;
  });
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
  return randomAccess(source, length, async (offset, target) => {
    await access.readInto(begin + offset, target);
    return target.length;
  });
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
