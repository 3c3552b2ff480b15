/** Inputs of cases: drawn by name from one fixed key, so that a case is the same on every backend and in every run. */
import { hostArray, HostArray, RandomKey, sizeOf, type Shape } from '@meanflow/core';

const root = RandomKey.fromSeed(20_261_121);

/** Uniform float32 on [low, high). */
export function floats(shape: Shape, low = -2, high = 2, stream = 'x'): HostArray<'float32'> {
  return root.fold(stream).uniform(shape, low, high);
}

/** Standard normal float32. */
export function normals(shape: Shape, stream = 'normal'): HostArray<'float32'> {
  return root.fold(stream).normal(shape);
}

/** Uniform int32 on [low, high). */
export function ints(shape: Shape, low = -9, high = 10, stream = 'i'): HostArray<'int32'> {
  return root.fold(stream).integers(shape, low, high);
}

/** Fair coins. */
export function bools(shape: Shape, stream = 'b'): HostArray<'bool'> {
  const bits = root.fold(stream).bits(sizeOf(shape));
  return new HostArray(
    'bool',
    shape,
    Uint8Array.from(bits, (word) => word & 1),
  );
}

/** float32 from numbers, in one dimension unless a shape is given. */
export function f32(values: readonly number[], shape: Shape = [values.length]): HostArray<'float32'> {
  return hostArray(Float32Array.from(values), { shape });
}

/** int32 from numbers. */
export function i32(values: readonly number[], shape: Shape = [values.length]): HostArray<'int32'> {
  return hostArray(Int32Array.from(values), { dtype: 'int32', shape });
}

/** bool from 0 and 1. */
export function bool(values: readonly number[], shape: Shape = [values.length]): HostArray<'bool'> {
  return hostArray(Uint8Array.from(values), { dtype: 'bool', shape });
}

/**
 * Numbers in random order, no two nearer than `gap`, none within `gap / 2` of zero: for derivatives of ops that have a kink
 * where operands meet or pass zero.
 */
export function separated(shape: Shape, gap = 0.1, stream = 'separated'): HostArray<'float32'> {
  const size = sizeOf(shape);
  const order = root.fold(stream).permutation(size);
  const values = Float32Array.from(order, (place) => (place - Math.floor(size / 2) + 0.5) * gap);
  return new HostArray('float32', shape, values);
}

/** One shape for each rank from 0 to 5. */
export const RANKS: readonly Shape[] = [[], [5], [3, 4], [2, 3, 4], [2, 1, 3, 2], [2, 2, 1, 3, 2]];

/** Shapes without elements. */
export const EMPTY: readonly Shape[] = [[0], [0, 3], [2, 0, 3]];

/** A shape as case ids write it. */
export const show = (shape: Shape): string => `[${shape.join(',')}]`;
