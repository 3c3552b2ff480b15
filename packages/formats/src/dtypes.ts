/**
 * The dtypes of safetensors: how many bytes an element has, and how little-endian bytes become a host array. Half
 * precision is widened to float32; integers become int32 when they fit. Elements that lie in a file as they lie in
 * memory are copied, or read to where they belong at once; others are converted piece by piece.
 */
import { DataError, HostArray, type HostData, type HostDType, type Shape } from '@meanflow/core';
import { bfloat16ToNumber, halfToNumber } from '@meanflow/core/backend';

interface StoredDType {
  /** Bytes of an element. */
  readonly bytes: number;
  /** What it becomes. */
  readonly hostDType: HostDType;
  /** Whether its little-endian bytes are those of the host array. */
  readonly isSame: boolean;
  /** An element. @param at its first byte */
  readonly element: (view: DataView, at: number) => number | bigint;
}

/** What can be read, by the name that the format gives it; wide elements come first. */
export const storedDTypes = {
  F64: { bytes: 8, hostDType: 'float64', isSame: true, element: (view, at) => view.getFloat64(at, true) },
  F32: { bytes: 4, hostDType: 'float32', isSame: true, element: (view, at) => view.getFloat32(at, true) },
  F16: { bytes: 2, hostDType: 'float32', isSame: false, element: (view, at) => halfToNumber(view.getUint16(at, true)) },
  BF16: { bytes: 2, hostDType: 'float32', isSame: false, element: (view, at) => bfloat16ToNumber(view.getUint16(at, true)) },
  I64: { bytes: 8, hostDType: 'int32', isSame: false, element: (view, at) => view.getBigInt64(at, true) },
  U64: { bytes: 8, hostDType: 'int32', isSame: false, element: (view, at) => view.getBigUint64(at, true) },
  I32: { bytes: 4, hostDType: 'int32', isSame: true, element: (view, at) => view.getInt32(at, true) },
  U32: { bytes: 4, hostDType: 'int32', isSame: false, element: (view, at) => view.getUint32(at, true) },
  I16: { bytes: 2, hostDType: 'int32', isSame: false, element: (view, at) => view.getInt16(at, true) },
  U16: { bytes: 2, hostDType: 'int32', isSame: false, element: (view, at) => view.getUint16(at, true) },
  I8: { bytes: 1, hostDType: 'int32', isSame: false, element: (view, at) => view.getInt8(at) },
  U8: { bytes: 1, hostDType: 'int32', isSame: false, element: (view, at) => view.getUint8(at) },
  BOOL: { bytes: 1, hostDType: 'bool', isSame: true, element: (view, at) => view.getUint8(at) },
} as const satisfies Readonly<Record<string, StoredDType>>; // prettier-ignore

/** A dtype of the format, such as `F32`. */
export type StoredDTypeName = keyof typeof storedDTypes;

/** Whether the format has a dtype of this name that can be read. */
export function isStoredDType(name: unknown): name is StoredDTypeName {
  return typeof name === 'string' && Object.hasOwn(storedDTypes, name);
}

/** What can be read, by the names that NumPy, PyTorch, zarr and flax have in common. */
export const dtypesByName: Readonly<Record<string, StoredDTypeName>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint64: 'U64',
  uint32: 'U32',
  uint16: 'U16',
  uint8: 'U8',
  bool: 'BOOL',
};

/** The name under which each of our dtypes is written. */
export const writtenNames = {
  float64: 'F64',
  float32: 'F32',
  int32: 'I32',
  bool: 'BOOL',
} as const satisfies Readonly<Record<HostDType, StoredDTypeName>>;

/** What makes the data of a host array. */
interface HostDataType {
  new (length: number): HostData[HostDType];
  readonly BYTES_PER_ELEMENT: number;
}

/** The typed array of what a dtype becomes. */
const arrays = {
  float64: Float64Array,
  float32: Float32Array,
  int32: Int32Array,
  bool: Uint8Array,
} as const satisfies Readonly<Record<HostDType, HostDataType>>;

/** The class of the host array's data that a dtype becomes. */
export function hostDataType(dtype: StoredDTypeName): HostDataType {
  return arrays[storedDTypes[dtype].hostDType];
}

/**
 * Converts elements.
 *
 * @param bytes whole elements, little-endian
 * @param first where the first of them goes
 * @param what what they are of, for messages
 * @throws {DataError} when an integer does not fit into int32, or a bool is neither 0 nor 1
 */
export function decodeElements(
  dtype: StoredDTypeName,
  bytes: Uint8Array,
  into: HostData[HostDType],
  first: number,
  what: string,
): void {
  const { bytes: width, element, isSame, hostDType }: StoredDType = storedDTypes[dtype];
  if (isSame && (isLittleEndian || width === 1)) {
    new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(bytes, first * width);
    checkElements(dtype, into, first, first + bytes.length / width, what);
    return;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length / width;
  for (let i = 0; i < count; i++) {
    const value = element(view, i * width);
    into[first + i] = Number(value);
    if (hostDType === 'int32' && into[first + i] !== Number(value)) {
      throw new DataError(`${what} holds ${value} at element ${first + i}, which does not fit into int32.`);
    }
  }
  checkElements(dtype, into, first, first + count, what);
}

/** Whether a tensor's bytes can be read into its host array as they are. */
export function isReadAsItIs(dtype: StoredDTypeName): boolean {
  const { isSame, bytes } = storedDTypes[dtype];
  return isSame && (isLittleEndian || bytes === 1);
}

/** @throws {DataError} when a bool is neither 0 nor 1 */
export function checkElements(
  dtype: StoredDTypeName,
  elements: HostData[HostDType],
  begin: number,
  end: number,
  what: string,
): void {
  if (dtype !== 'BOOL') return;
  for (let i = begin; i < end; i++) {
    if (elements[i]! > 1)
      throw new DataError(`${what} holds ${elements[i]} at element ${i}, which is no bool.`);
  }
}

/** A host array of little-endian elements; throws as {@link decodeElements}. */
export function decodeArray(
  dtype: StoredDTypeName,
  bytes: Uint8Array,
  shape: Shape,
  what: string,
): HostArray {
  const into = new (hostDataType(dtype))(bytes.length / storedDTypes[dtype].bytes);
  decodeElements(dtype, bytes, into, 0, what);
  return new HostArray(storedDTypes[dtype].hostDType, shape, into);
}

/** The little-endian bytes of an array; shares memory where the machine is little-endian. */
export function littleEndianBytes({ dtype, data }: HostArray): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (isLittleEndian || dtype === 'bool') return bytes;
  const width = storedDTypes[writtenNames[dtype]].bytes;
  const swapped = bytes.slice();
  for (let i = 0; i < swapped.length; i += width) swapped.subarray(i, i + width).reverse();
  return swapped;
}

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
