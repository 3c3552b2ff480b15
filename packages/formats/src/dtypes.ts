/**
 * The dtypes of safetensors: how many bytes an element has, and how little-endian bytes become a host array. Half
 * precision is widened to float32; integers become int32 when they fit.
 */
import {
  bfloat16ToNumber,
  DataError,
  halfToNumber,
  HostArray,
  sizeOf,
  type HostDType,
  type Shape,
} from '@meanflow/core';

type Reader = (view: DataView, count: number, shape: Shape) => HostArray;

interface StoredDType {
  /** Bytes of an element. */
  readonly bytes: number;
  /** An array from the elements of a view. @throws {DataError} when an integer does not fit into int32 */
  readonly read: Reader;
}

const floats =
  (at: (view: DataView, i: number) => number): Reader =>
  (view, count, shape) => {
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) values[i] = at(view, i);
    return new HostArray('float32', shape, values);
  };

const integers =
  (at: (view: DataView, i: number) => number | bigint): Reader =>
  (view, count, shape) => {
    const values = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const value = at(view, i);
      values[i] = Number(value);
      if (BigInt(values[i]) !== BigInt(value)) {
        throw new DataError(`holds ${value} at element ${i}, which does not fit into int32`);
      }
    }
    return new HostArray('int32', shape, values);
  };

/** What can be read, by the name that the format gives it; wide elements come first. */
export const storedDTypes = {
  F64: {
    bytes: 8,
    read: (view, count, shape) => {
      const values = new Float64Array(count);
      for (let i = 0; i < count; i++) values[i] = view.getFloat64(8 * i, true);
      return new HostArray('float64', shape, values);
    },
  },
  F32: { bytes: 4, read: floats((view, i) => view.getFloat32(4 * i, true)) },
  F16: { bytes: 2, read: floats((view, i) => halfToNumber(view.getUint16(2 * i, true))) },
  BF16: { bytes: 2, read: floats((view, i) => bfloat16ToNumber(view.getUint16(2 * i, true))) },
  I64: { bytes: 8, read: integers((view, i) => view.getBigInt64(8 * i, true)) },
  U64: { bytes: 8, read: integers((view, i) => view.getBigUint64(8 * i, true)) },
  I32: { bytes: 4, read: integers((view, i) => view.getInt32(4 * i, true)) },
  U32: { bytes: 4, read: integers((view, i) => view.getUint32(4 * i, true)) },
  I16: { bytes: 2, read: integers((view, i) => view.getInt16(2 * i, true)) },
  U16: { bytes: 2, read: integers((view, i) => view.getUint16(2 * i, true)) },
  I8: { bytes: 1, read: integers((view, i) => view.getInt8(i)) },
  U8: { bytes: 1, read: integers((view, i) => view.getUint8(i)) },
  BOOL: {
    bytes: 1,
    read: (view, count, shape) => {
      const values = new Uint8Array(count);
      for (let i = 0; i < count; i++) {
        values[i] = view.getUint8(i);
        if (values[i] > 1) throw new DataError(`holds ${values[i]} at element ${i}, which is no bool`);
      }
      return new HostArray('bool', shape, values);
    },
  },
} as const satisfies Readonly<Record<string, StoredDType>>;

/** A dtype of the format, such as `F32`. */
export type StoredDTypeName = keyof typeof storedDTypes;

/** Whether the format has a dtype of this name that can be read. */
export function isStoredDType(name: unknown): name is StoredDTypeName {
  return typeof name === 'string' && Object.hasOwn(storedDTypes, name);
}

/** The name under which each of our dtypes is written. */
export const writtenNames = {
  float64: 'F64',
  float32: 'F32',
  int32: 'I32',
  bool: 'BOOL',
} as const satisfies Readonly<Record<HostDType, StoredDTypeName>>;

/** The little-endian bytes of an array; shares memory where the machine is little-endian. */
export function littleEndianBytes({ dtype, data, shape }: HostArray): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (isLittleEndian || dtype === 'bool') return bytes;
  const width = storedDTypes[writtenNames[dtype]].bytes;
  const swapped = new Uint8Array(sizeOf(shape) * width);
  for (let i = 0; i < swapped.length; i++) swapped[i] = bytes[i - (i % width) + (width - 1 - (i % width))];
  return swapped;
}

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
