/**
 * From a file's bytes to its text: unpacked where it is compressed, and UTF-8. Works on bytes that are already in
 * memory, so it is the same in Node and in a browser.
 */
import { DataError } from '@meanflow/core';
import { maybeGunzip } from './gunzip.js';

/**
 * The text of a file.
 *
 * @param bytes plain or gzip-compressed
 * @param file the file's name, for messages
 * @throws {DataError} when the compressed data is damaged or the text is not UTF-8
 */
export function decodeText(bytes: Uint8Array, file: string): string {
  const plain = maybeGunzip(bytes, file);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(plain);
  } catch {
    throw new DataError(
      `${file}: found bytes that are not UTF-8, expected text, or text compressed with gzip.`,
    );
  }
}
