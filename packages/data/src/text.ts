/**
 * From a file's bytes to its text: gzip is recognised by its first two bytes whatever the file is called, and text is
 * UTF-8. Works on bytes that are already in memory, so it is the same in Node and in a browser.
 */
import { DataError } from '@meanflow/core';
import { gunzipSync } from 'fflate';

/**
 * The text of a file.
 *
 * @param bytes plain or gzip-compressed
 * @param file the file's name, for messages
 * @throws {DataError} when the compressed data is damaged or the text is not UTF-8
 */
export function decodeText(bytes: Uint8Array, file: string): string {
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? decompress(bytes, file) : bytes;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(plain);
  } catch {
    throw new DataError(
      `${file}: found bytes that are not UTF-8, expected text, or text compressed with gzip.`,
    );
  }
}

function decompress(bytes: Uint8Array, file: string): Uint8Array {
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new DataError(`${file}: the gzip data is damaged or cut short (${(error as Error).message}).`);
  }
}
