/**
 * Streams of bytes as they come from a file or a decompressor: collected into one array of known size, or cut anew so
 * that every piece holds whole elements. Nothing is allocated from what a file claims: sizes are the caller's.
 */
import { DataError } from '@meanflow/core';

/** Bytes in order. */
export type Pieces = AsyncIterable<Uint8Array>;

/**
 * One array of exactly `size` bytes.
 *
 * @throws {DataError} when there are more or fewer
 */
export async function collect(pieces: Pieces, size: number, source: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let filled = 0;
  for await (const piece of pieces) {
    if (filled + piece.length > size)
      throw new DataError(`${source} holds more than the ${size} bytes expected.`);
    bytes.set(piece, filled);
    filled += piece.length;
  }
  if (filled < size) throw new DataError(`${source} holds ${filled} bytes, expected ${size}.`);
  return bytes;
}

/**
 * The same bytes, counted, in pieces of whole elements.
 *
 * @throws {DataError} when there are more or fewer than `size`
 */
export async function* wholeElements(
  pieces: Pieces,
  elementBytes: number,
  size: number,
  source: string,
): AsyncGenerator<Uint8Array> {
  let rest = new Uint8Array(0);
  let total = 0;
  for await (const piece of pieces) {
    total += piece.length;
    if (total > size) throw new DataError(`${source} holds more than the ${size} bytes expected.`);
    const joined = rest.length === 0 ? piece : concatenated(rest, piece);
    const whole = joined.length - (joined.length % elementBytes);
    if (whole > 0) yield joined.subarray(0, whole);
    rest = joined.slice(whole);
  }
  if (total < size || rest.length > 0) {
    throw new DataError(`${source} holds ${total} bytes, expected ${size}.`);
  }
}

function concatenated(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

/** Elements with their bytes in reverse: big-endian to little-endian. Each piece holds whole elements. */
export async function* swapped(pieces: Pieces, elementBytes: number): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    const result = piece.slice();
    for (let i = 0; i < result.length; i += elementBytes) result.subarray(i, i + elementBytes).reverse();
    yield result;
  }
}

/** One array of however many bytes come; the stream itself has a bound. */
export async function collectSome(pieces: Pieces): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    parts.push(piece);
    size += piece.length;
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
