/**
 * Cyclic redundancy checks of 32 bits: CRC-32 of zip, gzip, PNG and our own files (IEEE 802.3), and CRC-32C of OCDBT and
 * zarr (Castagnoli). Either finds every burst of up to 32 wrong bits. Node's own is taken where there is one; else
 * sixteen bytes are looked up at a time (Kounavis and Berry, "A systematic approach to building high performance,
 * software-based, CRC generators", 2005), which is an eighth as fast.
 */

/** A check that goes on from an earlier result; 0 to begin with. */
type Checksum = (bytes: Uint8Array, previous?: number) => number;

/** Bytes that are looked up at a time. */
const SLICES = 16;

function checksum(reversedPolynomial: number): Checksum {
  const first = Uint32Array.from({ length: 256 }, (_, byte) => {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit++)
      remainder = (remainder >>> 1) ^ (remainder & 1 ? reversedPolynomial : 0);
    return remainder;
  });
  // What a byte becomes that so many bytes of zeros follow, table after table.
  const tables = new Uint32Array(256 * SLICES);
  tables.set(first);
  for (let i = 256; i < tables.length; i++)
    tables[i] = (tables[i - 256]! >>> 8) ^ first[tables[i - 256]! & 0xff]!;
  return (bytes, previous = 0) => {
    let remainder = ~previous;
    const whole = bytes.length - (bytes.length % SLICES);
    let at = 0;
    while (at < whole) {
      // The first four bytes meet what is left of those before.
      let next =
        tables[3840 + ((bytes[at]! ^ remainder) & 0xff)]! ^
        tables[3584 + ((bytes[at + 1]! ^ (remainder >>> 8)) & 0xff)]! ^
        tables[3328 + ((bytes[at + 2]! ^ (remainder >>> 16)) & 0xff)]! ^
        tables[3072 + ((bytes[at + 3]! ^ (remainder >>> 24)) & 0xff)]!;
      for (let i = 4, table = 2816; i < SLICES; i++, table -= 256) next ^= tables[table + bytes[at + i]!]!;
      remainder = next;
      at += SLICES;
    }
    for (; at < bytes.length; at++) remainder = (remainder >>> 8) ^ first[(remainder ^ bytes[at]!) & 0xff]!;
    return ~remainder >>> 0;
  };
}

/** CRC-32 without Node's help. */
export const portableCrc32 = checksum(0xedb88320);

/** CRC-32 of zip, gzip and PNG. */
export const crc32: Checksum = nativeCrc32() ?? portableCrc32;

/** CRC-32C. */
export const crc32c = checksum(0x82f63b78);

/** Bytes that Node's is given at once: it counts them in 32 bits. */
const PORTION = 2 ** 30;

/** That of Node from 20.16 on, found without an import, which a browser could not follow. */
function nativeCrc32(): Checksum | undefined {
  const { process } = globalThis as { readonly process?: Partial<NodeJS.Process> };
  const zlib = process?.getBuiltinModule?.('node:zlib');
  if (typeof zlib?.crc32 !== 'function') return undefined;
  return (bytes, previous = 0) => {
    let checksum = previous;
    for (let begin = 0; begin < bytes.length; begin += PORTION) {
      checksum = zlib.crc32(bytes.subarray(begin, begin + PORTION), checksum);
    }
    return checksum;
  };
}
