/**
 * The dtypes of npy files by the names NumPy gives them: how many bytes an element has, and how it is read. Half
 * precision is widened to float32; integers become int32 where they fit. Objects and structures are refused: reading
 * objects means running a pickle.
 */
import { DataError, type HostDType } from '@meanflow/core';

interface NpyDType {
  readonly bytes: number;
  readonly dtype: HostDType;
  readonly read: (view: DataView, at: number, isLittleEndian: boolean) => number;
}

/** IEEE 754 half precision to a number. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const dtypes: Readonly<Record<string, NpyDType>> = {
  f8: { bytes: 8, dtype: 'float64', read: (view, at, little) => view.getFloat64(at, little) },
  f4: { bytes: 4, dtype: 'float32', read: (view, at, little) => view.getFloat32(at, little) },
  f2: { bytes: 2, dtype: 'float32', read: (view, at, little) => half(view.getUint16(at, little)) },
  i8: { bytes: 8, dtype: 'int32', read: (view, at, little) => Number(view.getBigInt64(at, little)) },
  u8: { bytes: 8, dtype: 'int32', read: (view, at, little) => Number(view.getBigUint64(at, little)) },
  i4: { bytes: 4, dtype: 'int32', read: (view, at, little) => view.getInt32(at, little) },
  u4: { bytes: 4, dtype: 'int32', read: (view, at, little) => view.getUint32(at, little) },
  i2: { bytes: 2, dtype: 'int32', read: (view, at, little) => view.getInt16(at, little) },
  u2: { bytes: 2, dtype: 'int32', read: (view, at, little) => view.getUint16(at, little) },
  i1: { bytes: 1, dtype: 'int32', read: (view, at) => view.getInt8(at) },
  u1: { bytes: 1, dtype: 'int32', read: (view, at) => view.getUint8(at) },
  b1: { bytes: 1, dtype: 'bool', read: (view, at) => Number(view.getUint8(at) !== 0) },
};

/** What NumPy calls each of our dtypes; the bytes are little-endian. */
export const writtenNames: Readonly<Record<HostDType, string>> = {
  float64: '<f8',
  float32: '<f4',
  int32: '<i4',
  bool: '|b1',
};

/**
 * The dtype of a `descr` such as `<f4`.
 *
 * @throws {DataError} when it is none that is read here
 */
export function findDType(descr: string, source: string): NpyDType & { readonly isLittleEndian: boolean } {
  const match = /^([<>|=])([fiub]\d)$/.exec(descr);
  const found = match !== null && Object.hasOwn(dtypes, match[2]) ? dtypes[match[2]] : undefined;
  if (match === null || found === undefined) {
    const reason = descr.includes('O') ? ' An array of objects is a pickle, which is not run.' : '';
    throw new DataError(
      `${source}: found an array of dtype "${descr}", expected one of ${Object.keys(dtypes).join(', ')}.${reason}`,
    );
  }
  return { ...found, isLittleEndian: match[1] !== '>' };
}
