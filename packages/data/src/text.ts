/**
 * From a file's bytes to its text: unpacked where it is compressed, in the encoding that its first bytes tell, else UTF-8,
 * else the one of Windows in the west. Works on bytes that are already in memory, so it is the same in Node and in a browser.
 */
import { ArgumentError, DataError } from '@meanflow/core';
import { maybeGunzip } from './gunzip.js';
import { standInOf } from './stand-ins.js';

/** Bytes by which the encoding is found. */
export const DECIDING_BYTES = 2 ** 20;

/**
 * The text of a file that is UTF-8.
 *
 * @param bytes plain or gzip-compressed
 * @param file the file's name, for messages
 * @throws {DataError} when the compressed data is damaged or the text is not UTF-8
 */
export function decodeText(bytes: Uint8Array, file: string): string {
  return decodeIn('utf-8', maybeGunzip(bytes, file), file);
}

/** The text of a file in the encoding that is asked for, or that it has. @throws {DataError} when it is no text */
export function readText(
  bytes: Uint8Array,
  file: string,
  asked?: string,
): { readonly text: string; readonly encoding: string } {
  const plain = maybeGunzip(bytes, file);
  const encoding = encodingOf(plain, file, asked);
  return { text: decodeIn(encoding, plain, file), encoding };
}

/** A decoder that refuses what is not in the encoding. @throws {ArgumentError} when there is no such encoding */
export function decoderOf(encoding: string): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(encoding, { fatal: true });
  } catch (error) {
    throw new ArgumentError(
      `There is no encoding "${encoding}": expected utf-8, utf-16le, windows-1252, shift_jis or the like.`,
      { cause: error },
    );
  }
}

/** The error for bytes that are not in an encoding. */
export function notInEncoding(encoding: string, file: string): DataError {
  const name = encoding === 'utf-8' ? 'UTF-8' : encoding;
  return new DataError(
    `${file}: found bytes that are not ${name}, expected text, or text compressed with gzip. Another encoding is chosen with --encoding.`,
  );
}

/**
 * The encoding of a text by its beginning.
 *
 * @throws {DataError} when it is no text but one of the files that are taken for tables
 */
export function encodingOf(head: Uint8Array, file: string, asked?: string): string {
  if (asked !== undefined) return decoderOf(asked).encoding;
  checkIsText(head, file);
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  const part = head.subarray(0, DECIDING_BYTES);
  const even = share(part, 0);
  const odd = share(part, 1);
  // Every other byte of plain text in UTF-16 is zero.
  if (even > 0.4 || odd > 0.4) return odd > even ? 'utf-16le' : 'utf-16be';
  try {
    // What the cut leaves of a character at the end is no fault.
    new TextDecoder('utf-8', { fatal: true }).decode(part, { stream: true });
    return 'utf-8';
  } catch {
    if (part.some((byte) => byte < 32 && ![9, 10, 12, 13].includes(byte))) throw notInEncoding('utf-8', file);
    return 'windows-1252';
  }
}

function decodeIn(encoding: string, bytes: Uint8Array, file: string): string {
  const decoder = decoderOf(encoding);
  try {
    return decoder.decode(bytes);
  } catch {
    throw notInEncoding(encoding, file);
  }
}

const signatures: readonly (readonly [bytes: readonly number[], what: string])[] = [
  [[0x50, 0x4b, 3, 4], 'a zip archive or an Excel workbook'],
  [[0xd0, 0xcf, 0x11, 0xe0], 'an old Excel workbook'],
  [[0x50, 0x41, 0x52, 0x31], 'a Parquet file'],
  [[0x41, 0x52, 0x52, 0x4f, 0x57, 0x31], 'an Arrow or Feather file'],
  [[0x89, 0x48, 0x44, 0x46], 'an HDF5 file'],
  [[0x53, 0x51, 0x4c, 0x69, 0x74, 0x65], 'an SQLite database'],
];

function checkIsText(head: Uint8Array, file: string): void {
  const standIn = standInOf(head);
  if (standIn !== undefined) throw new DataError(`${file}: it is ${standIn}, expected rows of a table.`);
  const found = signatures.find(([bytes]) => bytes.every((byte, i) => head[i] === byte));
  if (found !== undefined) {
    throw new DataError(`${file}: it is ${found[1]}, expected text: write its table as CSV.`);
  }
}

/** The share of zeros among the even, or the odd bytes. */
function share(bytes: Uint8Array, parity: 0 | 1): number {
  let zeros = 0;
  for (let i = parity; i < bytes.length; i += 2) if (bytes[i] === 0) zeros++;
  return bytes.length < 4 ? 0 : (2 * zeros) / bytes.length;
}
