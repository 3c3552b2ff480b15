/**
 * Dtypes, shapes and tensor types: what every value in a graph is known to be before anything runs.
 *
 * A graph is typed with `float32`, `float16`, `int32` and `bool`. `float16` exists in graphs and on devices only: on the
 * host its values are float32, rounded where they enter. `float64` exists on the host only: the reference interpreter
 * computes every float in it.
 */

/** Element type of a value in a graph. */
export type DType = 'float32' | 'float16' | 'int32' | 'bool';

/** What a graph's values are on the host, which has no float16. */
export type HostDTypeOf<D extends DType = DType> = D extends 'float16' ? 'float32' : D;

/** Element type of an array on the host: a graph's dtypes there, and the float64 of the reference interpreter. */
export type HostDType = HostDTypeOf | 'float64';

/** What a graph's values are on the host. */
export function hostDTypeOf(dtype: DType): HostDTypeOf {
  return dtype === 'float16' ? 'float32' : dtype;
}

/** Whether values of a dtype are floats, which have derivatives. */
export function isFloat(dtype: HostDType | DType): dtype is 'float32' | 'float16' | 'float64' {
  return dtype === 'float32' || dtype === 'float16' || dtype === 'float64';
}

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
export const bytesPerElement: Readonly<Record<HostDType | DType, number>> = {
  float32: 4,
  float16: 2,
  int32: 4,
  bool: 1,
  float64: 8,
};

/** A shape as it stands in messages: `[2, 3]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** A type as it stands in messages and printed graphs: `float32[2, 3]`. */
export function formatType(type: { readonly dtype: HostDType | DType; readonly shape: Shape }): string {
  return `${type.dtype}${formatShape(type.shape)}`;
}
