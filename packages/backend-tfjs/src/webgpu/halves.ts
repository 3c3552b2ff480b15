/**
 * float16 on WebGPU: where the device has `shader-f16`, buffers hold two numbers in four bytes, which tfjs knows as integers.
 * Kernels compute in float32 and round what an op makes.
 */
import { HostArray, type DType, type Shape, sizeOf, type TensorType } from '@meanflow/core';
import { fromHalves, toHalves } from '@meanflow/core/backend';

/** What tfjs is told of an array. */
export function storedAs({ dtype, shape }: TensorType): { readonly dtype: DType; readonly shape: Shape } {
  return dtype === 'float16' ? { dtype: 'int32', shape: [Math.ceil(sizeOf(shape) / 2)] } : { dtype, shape };
}

/** Numbers as they lie in a buffer of float16, in memory of their own. */
export function packHalves({ data, size }: HostArray): HostArray<'int32'> {
  const words = new Uint16Array(2 * Math.ceil(size / 2));
  words.set(toHalves(data));
  return new HostArray('int32', [words.length / 2], new Int32Array(words.buffer));
}

/** The numbers of a buffer of float16. */
export function unpackHalves(stored: Int32Array, size: number): Float32Array<ArrayBuffer> {
  return fromHalves(new Uint16Array(stored.buffer, stored.byteOffset, size));
}
