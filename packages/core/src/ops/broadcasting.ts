/** NumPy broadcasting: the result shape of elementwise ops, and the index walk of the reference interpreter. */
import { ShapeError } from '../errors.js';
import { formatShape, sizeOf, stridesOf, type Shape } from '../types.js';

/** @throws {ShapeError} when a dimension is not a non-negative integer */
export function checkShape(shape: Shape): void {
  if (!shape.every((dimension) => Number.isInteger(dimension) && dimension >= 0)) {
    throw new ShapeError(`${formatShape(shape)} is not a shape: dimensions are non-negative integers.`);
  }
}

/** The common shape: aligned at the last axis, sizes equal or 1. @throws {ShapeError} naming the first bad axis. */
export function broadcastShapes(shapes: readonly Shape[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const result = new Array<number>(rank).fill(1);
  for (const shape of shapes) {
    for (let axis = 0; axis < shape.length; axis++) {
      const at = rank - shape.length + axis;
      const dimension = shape[axis]!;
      if (dimension === 1 || dimension === result[at]) continue;
      if (result[at] !== 1) {
        throw new ShapeError(
          `shapes ${shapes.map(formatShape).join(' and ')} do not broadcast: ` +
            `axis ${at - rank} has sizes ${result[at]} and ${dimension}.`,
        );
      }
      result[at] = dimension;
    }
  }
  return result;
}

/** Strides with which an operand is read while walking `result`: 0 along repeated axes. */
function broadcastStrides(shape: Shape, result: Shape): number[] {
  const strides = stridesOf(shape);
  const lead = result.length - shape.length;
  return result.map((_, axis) => (axis < lead || shape[axis - lead] === 1 ? 0 : strides[axis - lead]!));
}

/** For each element of `result` in order, the index at which an operand of `shape` is read. */
export function broadcastIndices(shape: Shape, result: Shape): Int32Array {
  return stridedIndices(broadcastStrides(shape, result), result, 0);
}

/** Indices `offset + Σ coordinate · stride` for every coordinate of `shape`, row-major. */
export function stridedIndices(strides: readonly number[], shape: Shape, offset: number): Int32Array {
  const indices = new Int32Array(sizeOf(shape));
  if (indices.length === 0) return indices;
  const coordinate = new Array<number>(shape.length).fill(0);
  let index = offset;
  for (let i = 0; i < indices.length; i++) {
    indices[i] = index;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index += strides[axis]!;
      if (++coordinate[axis]! < shape[axis]!) break;
      index -= strides[axis]! * shape[axis]!;
      coordinate[axis] = 0;
    }
  }
  return indices;
}
