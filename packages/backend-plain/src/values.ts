/** Values of the plain backend: typed arrays in row-major order, and the walk over them by strides. */
import { sizeOf, type DType, type Shape, type TensorType } from '@meanflow/core';
import { stridesOf } from '@meanflow/core/backend';

export type Data = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** Zeros. */
export function allocate({ dtype, shape }: TensorType): Data {
  const size = sizeOf(shape);
  const make: Readonly<Record<DType, () => Data>> = {
    float32: () => new Float32Array(size),
    float16: () => new Float32Array(size),
    int32: () => new Int32Array(size),
    bool: () => new Uint8Array(size),
  };
  return make[dtype]();
}

/** Offsets `start + Σ coordinate · stride` for every coordinate of `shape`, the last axis fastest. */
export function offsets(shape: Shape, strides: readonly number[], start = 0): Int32Array {
  let found = Int32Array.of(start);
  shape.forEach((size, axis) => {
    const next = new Int32Array(found.length * size);
    found.forEach((base, i) => {
      for (let k = 0; k < size; k++) next[i * size + k] = base + k * strides[axis]!;
    });
    found = next;
  });
  return found;
}

/** Where an operand is read for each element of a result that it broadcasts to. */
export function broadcastOffsets(from: Shape, to: Shape): Int32Array {
  const strides = stridesOf(from);
  const lead = to.length - from.length;
  return offsets(
    to,
    to.map((_, axis) => (axis < lead || from[axis - lead]! === 1 ? 0 : strides[axis - lead]!)),
  );
}

/** The elements of some axes. */
export const pick = (list: readonly number[], axes: readonly number[]): number[] =>
  axes.map((axis) => list[axis]!);
