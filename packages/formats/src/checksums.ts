/**
 * What a zip archive's central directory says of its files, beside where they are: length and CRC-32, which fflate does
 * not look at. Call it after fflate has read the archive: it takes the directory to be where it should be, and whatever
 * it does not find there is reported as damage by the one who asks.
 */

/** A file's length and CRC-32, unpacked. */
export interface Checksum {
  readonly size: number;
  readonly crc: number;
}

const DIRECTORY_ENTRY = 0x02014b50;
const END_OF_DIRECTORY = 0x06054b50;
const END_OF_DIRECTORY_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
/** The length of an entry of the directory, less its name and extras. */
const ENTRY_BYTES = 46;
const UNKNOWN = 0xffffffff;

/** Checksums by the files' names. */
export function directoryChecksums(bytes: Uint8Array): ReadonlyMap<string, Checksum> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const long = (at: number): number => (at >= 0 && at + 4 <= bytes.length ? view.getUint32(at, true) : 0);
  const wide = (at: number): number =>
    at >= 0 && at + 8 <= bytes.length ? Number(view.getBigUint64(at, true)) : 0;
  const short = (at: number): number => (at >= 0 && at + 2 <= bytes.length ? view.getUint16(at, true) : 0);
  let end = bytes.length - 22;
  while (end > 0 && long(end) !== END_OF_DIRECTORY) end--;
  const end64 = long(end - 20) === LOCATOR_64 ? wide(end - 12) : -1;
  const isWide = long(end64) === END_OF_DIRECTORY_64;
  let at = isWide ? wide(end64 + 48) : long(end + 16);
  const checksums = new Map<string, Checksum>();
  while (long(at) === DIRECTORY_ENTRY) {
    const [nameLength, extraLength, commentLength] = [short(at + 28), short(at + 30), short(at + 32)];
    const extraStart = at + ENTRY_BYTES + nameLength;
    const name = new TextDecoder().decode(bytes.subarray(at + ENTRY_BYTES, extraStart));
    // Sizes that take more than four bytes stand in an extra field of their own, the unpacked one first.
    let size = long(at + 24);
    for (let extra = extraStart; size === UNKNOWN && extra < extraStart + extraLength;) {
      if (short(extra) === 1) size = wide(extra + 4);
      extra += 4 + short(extra + 2);
    }
    checksums.set(name, { size, crc: long(at + 16) });
    at = extraStart + extraLength + commentLength;
  }
  return checksums;
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 as zip, gzip and PNG have it. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
