/**
 * Half precision as bits: IEEE 754 binary16 (F16) and bfloat16 (BF16), widened to numbers and, for F16, rounded from
 * float32. The host has no array of either; files hold them as 16-bit words.
 */

/** The largest finite number of F16. */
export const LARGEST_HALF = 65504;

/** F16 to a number. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction * 2 ** -10) * 2 ** (exponent - 15);
}

/** Numbers as F16, word by word. */
export const toHalves = (values: ArrayLike<number>): Uint16Array<ArrayBuffer> =>
  Uint16Array.from(values, numberToHalf);

/** Words of F16 as numbers. */
export const fromHalves = (words: ArrayLike<number>): Float32Array<ArrayBuffer> =>
  Float32Array.from(words, halfToNumber);

/** A number, taken as float32, as the nearest of F16. */
export const roundToHalf = (value: number): number => halfToNumber(numberToHalf(value));

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** BF16, which is the upper half of a float32, to a number. */
export function bfloat16ToNumber(bits: number): number {
  word[0] = bits << 16;
  return float[0]!;
}

/** A number, taken as float32, rounded to F16: to nearest, ties to even, beyond the largest to infinity. */
export function numberToHalf(value: number): number {
  float[0] = value;
  const sign = (word[0]! >>> 16) & 0x8000;
  const magnitude = word[0]! & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Below 2⁻¹⁴ F16 is in steps of 2⁻²⁴, as float32 is from 0.5: the sum rounds as it should.
    word[0] = magnitude;
    float[0] += 0.5;
    return sign | (word[0] - 0x3f000000);
  }
  const isOdd = (magnitude >>> 13) & 1;
  // The exponent's bias goes from 127 to 15; what is dropped is rounded by a carry, which may reach infinity.
  return sign | ((magnitude - 0x38000000 + 0xfff + isOdd) >>> 13);
}
