/** Cyclic redundancy checks of 32 bits: CRC-32 of zip and gzip (IEEE 802.3), and CRC-32C of OCDBT (Castagnoli). */

/** A check that goes on from an earlier result; 0 to begin with. */
type Checksum = (bytes: Uint8Array, previous?: number) => number;

function checksum(reversedPolynomial: number): Checksum {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit++)
      remainder = (remainder >>> 1) ^ (remainder & 1 ? reversedPolynomial : 0);
    return remainder;
  });
  return (bytes, previous = 0) => {
    let remainder = ~previous;
    for (let i = 0; i < bytes.length; i++) {
      remainder = (remainder >>> 8) ^ table[(remainder ^ bytes[i]) & 0xff];
    }
    return ~remainder >>> 0;
  };
}

export const crc32 = checksum(0xedb88320);
export const crc32c = checksum(0x82f63b78);
