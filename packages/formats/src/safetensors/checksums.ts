/**
 * Checksums in a safetensors file, as an entry of its metadata that other programs pass over: `meanflow.crc32` holds
 * eight hexadecimal digits for the header, in which its own eight count as zeros, then eight for each tensor in the order
 * in which they lie. Every bit of a file is under one of them: the length, the padding and the metadata under the first.
 */
import { crc32 } from '../checksums.js';

/** The key in the metadata. */
export const CHECKSUMS = 'meanflow.crc32';

const DIGITS = 8;
/** What stands before the digits in a header. */
const START = new TextEncoder().encode(`"${CHECKSUMS}":"`);
const ZEROS = new TextEncoder().encode('0'.repeat(DIGITS));

/** The value of the entry before anything is known. @param count tensors */
export function emptyChecksums(count: number): string {
  return '0'.repeat(DIGITS * (count + 1));
}

/**
 * Puts checksums into a header that was made with {@link emptyChecksums}.
 *
 * @param header with the eight bytes of its length
 * @param checksums of the tensors, in order
 */
export function sealHeader(header: Uint8Array, checksums: readonly number[]): Uint8Array {
  const sealed = header.slice();
  const at = startOfDigits(header)!;
  sealed.set(new TextEncoder().encode(checksums.map(hexadecimal).join('')), at + DIGITS);
  sealed.set(new TextEncoder().encode(hexadecimal(crc32(sealed))), at);
  return sealed;
}

/**
 * The checksums of the tensors.
 *
 * @param text the value of the entry
 * @param header with the eight bytes of its length
 * @param count tensors
 * @param fail throws what is wrong with the file
 */
export function parseChecksums(
  text: string,
  header: Uint8Array,
  count: number,
  fail: (problem: string) => never,
): number[] {
  const at = startOfDigits(header);
  if (!/^[0-9a-f]*$/.test(text) || text.length !== DIGITS * (count + 1) || at === undefined) {
    return fail(
      `its metadata "${CHECKSUMS}" does not have ${DIGITS} hexadecimal digits for the header and each tensor`,
    );
  }
  const blank = header.slice();
  blank.set(ZEROS, at);
  if (hexadecimal(crc32(blank)) !== text.slice(0, DIGITS)) {
    return fail(
      'the checksum of its header does not match. It is damaged; or another program wrote it anew, and should leave out ' +
        `the metadata "${CHECKSUMS}"`,
    );
  }
  return Array.from({ length: count }, (_, i) =>
    parseInt(text.slice(DIGITS * (i + 1), DIGITS * (i + 2)), 16),
  );
}

/** Where the digits begin. In a text between quotes, the first quote would be escaped. */
function startOfDigits(header: Uint8Array): number | undefined {
  for (let at = header.indexOf(START[0]!); at >= 0; at = header.indexOf(START[0]!, at + 1)) {
    if (header[at - 1] !== BACKSLASH && START.every((byte, i) => header[at + i] === byte))
      return at + START.length;
  }
  return undefined;
}

const BACKSLASH = 0x5c;

function hexadecimal(checksum: number): string {
  return checksum.toString(16).padStart(DIGITS, '0');
}
