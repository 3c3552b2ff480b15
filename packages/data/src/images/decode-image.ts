/** An image file as `Pixels`: PNG or JPEG, by how it begins, whatever it is called. */
import { DataError } from '@meanflow/core';
import { isJpeg, readJpegHeader } from './jpeg-file.js';
import { type JpegDecoder } from './jpeg.js';
import { type Pixels } from './pixels.js';
import { isPng, readPngHeader } from './png-file.js';
import { decodePng } from './png.js';

/**
 * Decodes an image.
 *
 * @throws {DataError} naming the file when it is no image, of too many pixels, cut short or damaged
 */
export function decodeImage(bytes: Uint8Array, source: string, jpeg: JpegDecoder): Pixels {
  if (isPng(bytes)) return decodePng(bytes, source);
  if (isJpeg(bytes)) return jpeg.decode(bytes, source);
  throw notAnImage(bytes, source);
}

/**
 * The size of an image, without decoding it.
 *
 * @param bytes the file's beginning
 * @throws {DataError} naming the file when it begins as no image does, or as one of too many pixels
 */
export function imageSizeOf(
  bytes: Uint8Array,
  source: string,
): { readonly width: number; readonly height: number } {
  if (isPng(bytes)) return readPngHeader(bytes, source);
  if (isJpeg(bytes)) return readJpegHeader(bytes, source);
  throw notAnImage(bytes, source);
}

function notAnImage(bytes: Uint8Array, source: string): DataError {
  if (bytes.length === 0) return new DataError(`${source}: the file is empty, expected a PNG or JPEG image.`);
  const begin = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return new DataError(`${source}: found a file that begins with ${begin}, expected a PNG or JPEG image.`);
}
