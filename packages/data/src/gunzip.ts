/**
 * Files that may be compressed with gzip, which is recognised by its first two bytes whatever a file is called. What the
 * file says of its length is held against what it can be, and length and checksum against what came out (RFC 1952).
 */
import { DataError } from '@meanflow/core';
import { crc32 } from '@meanflow/formats/build';
import { gunzipSync } from 'fflate';

/** No compressed data is longer, unpacked, than this many times its length. */
const MAX_RATIO = 1032;
/** What a file may unpack to by default: so many times its length, of which tables and pictures stay far below, or this. */
const [USUAL_RATIO, ALWAYS_ALLOWED] = [100, 2 ** 26];

/**
 * The bytes of a file, unpacked where they are packed.
 *
 * @param file the file's name, for messages
 * @param maxBytes most bytes that it may unpack to; by default 64 MiB, or 100 times its length where that is more
 * @throws {DataError} when the compressed data is damaged, cut short, or more than allowed
 */
export function maybeGunzip(
  bytes: Uint8Array,
  file: string,
  maxBytes = Math.max(ALWAYS_ALLOWED, USUAL_RATIO * bytes.length),
): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const damaged = (reason: string): DataError =>
    new DataError(`${file}: the gzip data is damaged or cut short (${reason}).`);
  if (bytes.length < 18) throw damaged(`it has ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [checksum, length] = [view.getUint32(bytes.length - 8, true), view.getUint32(bytes.length - 4, true)];
  if (length > MAX_RATIO * bytes.length) throw damaged(`it says that it unpacks to ${length} bytes`);
  if (length > maxBytes) {
    throw new DataError(
      `${file}: it unpacks to ${length} bytes, more than the ${maxBytes} that are allowed for its length: unpack it first (gunzip) if it is ` +
        'what it should be.',
    );
  }
  let unpacked: Uint8Array;
  try {
    unpacked = gunzipSync(bytes, { out: new Uint8Array(length) });
  } catch (error) {
    throw damaged((error as Error).message);
  }
  if (unpacked.length !== length || crc32(unpacked) !== checksum)
    throw damaged('its length or checksum is wrong');
  return unpacked;
}
