/**
 * Dtypes, shapes and tensor types: what every value in a graph is known to be before anything runs.
 *
 * A graph is typed with `float32`, `int32` and `bool`. `float64` exists on the host only: the reference
 * interpreter computes every float in it.
 */

/** Element type of a value in a graph. */
export type DType = 'float32' | 'int32' | 'bool';

/** Element type of an array on the host: a graph's dtypes, and the float64 of the reference interpreter. */
export type HostDType = DType | 'float64';

/** Dimension sizes, outermost first; `[]` is a scalar. */
export type Shape = readonly number[];

/** The static type of a value: dtype and shape. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** Number of elements of a shape (1 for a scalar). */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const dimension of shape) size *= dimension;
  return size;
}

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** Whether two shapes are equal, dimension by dimension. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dimension, axis) => dimension === b[axis]);
}

/** Bytes of one element as a backend stores it. */
export const bytesPerElement: Readonly<Record<HostDType, number>> = {
  float32: 4,
  int32: 4,
  bool: 1,
  float64: 8,
};

/** A shape as it stands in messages: `[2, 3]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** A type as it stands in messages and printed graphs: `float32[2, 3]`. */
export function formatType(type: { readonly dtype: HostDType; readonly shape: Shape }): string {
  return `${type.dtype}${formatShape(type.shape)}`;
}
