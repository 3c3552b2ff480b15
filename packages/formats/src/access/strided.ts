/**
 * Elements that do not lie in row-major order: views with strides and an offset, column-major arrays, transposed
 * kernels. They are gathered from memory into pieces in row-major order.
 */
import { sizeOf, type Shape } from '@meanflow/core';

/** Bytes of a piece. */
const PIECE = 1 << 20;

/** How the elements of an array lie, counted in elements. */
export interface StridedLayout {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

/** Whether elements lie in row-major order without gaps; strides of axes of size 1 mean nothing. */
export function isContiguous({ shape, strides }: StridedLayout): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 1) continue;
    if (strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** Strides of a column-major array. */
export function columnMajorStrides(shape: Shape): number[] {
  let stride = 1;
  return shape.map((size) => {
    const own = stride;
    stride *= size;
    return own;
  });
}

/** The elements between the first and the last that are used: where they begin, and how many. */
export function extent({ shape, strides, offset }: StridedLayout): {
  readonly begin: number;
  readonly length: number;
} {
  if (shape.includes(0)) return { begin: offset, length: 0 };
  const last = shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, 0);
  return { begin: offset, length: last + 1 };
}

/** The elements in row-major order. */
export function* gather(
  bytes: Uint8Array,
  elementBytes: number,
  { shape, strides, offset }: StridedLayout,
): Generator<Uint8Array> {
  const count = sizeOf(shape);
  const perPiece = Math.max(1, Math.floor(PIECE / elementBytes));
  const index = new Array<number>(shape.length).fill(0);
  let position = offset;
  for (let done = 0; done < count; done += perPiece) {
    const piece = new Uint8Array(Math.min(perPiece, count - done) * elementBytes);
    for (let at = 0; at < piece.length; at += elementBytes) {
      const from = position * elementBytes;
      for (let i = 0; i < elementBytes; i++) piece[at + i] = bytes[from + i]!;
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        position += strides[axis]!;
        if (++index[axis]! < shape[axis]!) break;
        position -= strides[axis]! * shape[axis]!;
        index[axis] = 0;
      }
    }
    yield piece;
  }
}
