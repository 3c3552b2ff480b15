/**
 * Elements: arrays as ONNX Runtime holds them. They are those of the host but for float16, which is a 16-bit word there and
 * float32 on the host.
 */
import { sizeOf, type DType, type HostArray, type HostData, type TensorType } from '@meanflow/core';
import { fromHalves, toHalves } from '@meanflow/core/backend';

/** The typed array that ONNX Runtime holds a dtype in. */
export const elementArrays = {
  float32: Float32Array,
  float16: Uint16Array,
  int32: Int32Array,
  bool: Uint8Array,
} as const;

/** Elements of some dtype. */
export type Elements = Float32Array | Uint16Array | Int32Array | Uint8Array;

/** What a host array holds as elements of a dtype: its own memory, but for float16. */
export function toElements({ data }: HostArray, dtype: DType): Elements {
  return dtype === 'float16' ? toHalves(data) : (data as Elements);
}

/** A copy of what ONNX Runtime returned, as an array of the host and of this realm. */
export function fromElements(dtype: DType, data: Elements): HostData[DType] {
  // Where the engine has arrays of float16, ONNX Runtime returns one of them.
  if (dtype === 'float16') return fromHalves(new Uint16Array(data.buffer, data.byteOffset, data.length));
  return new elementArrays[dtype](data);
}

/** Bytes that an array of a type takes there. */
export const storedBytes = ({ dtype, shape }: TensorType): number =>
  sizeOf(shape) * elementArrays[dtype].BYTES_PER_ELEMENT;
