/** Dtypes and numbers as WGSL. */
import type { DType } from '@meanflow/core';

/** What is computed with: float16 is a way of storing. */
export const wgslTypes: Readonly<Record<DType, 'f32' | 'i32' | 'bool'>> = {
  float32: 'f32',
  float16: 'f32',
  int32: 'i32',
  bool: 'bool',
};
/** Bools are stored as integers, as tfjs stores them. */
export const storedTypes: Readonly<Record<DType, 'f32' | 'f16' | 'i32'>> = {
  float32: 'f32',
  float16: 'f16',
  int32: 'i32',
  bool: 'i32',
};

/** An f32 as the nearest float16; there and back by `f16`, compilers take for nothing (Mesa's does). Denormals may become zero. */
export const roundedToHalf = (x: string): string => `quantizeToF16(${x})`;

const SMALLEST_NORMAL = 2 ** -126;

/** A number of a dtype, exactly; negative ones stand in parentheses. */
export function literal(value: number, dtype: DType): string {
  if (dtype === 'bool') return value === 0 ? 'false' : 'true';
  if (dtype === 'int32') return value < 0 ? `i32(${value})` : String(value);
  const rounded = Math.fround(value);
  const size = Math.abs(rounded);
  if (!(size >= SMALLEST_NORMAL && size < Infinity) && !Object.is(rounded, 0)) {
    const bits = new Uint32Array(Float32Array.of(rounded).buffer)[0]!;
    return `fromBits(0x${bits.toString(16)}u)`;
  }
  const text = `${rounded}f`;
  return rounded < 0 ? `(${text})` : text;
}
