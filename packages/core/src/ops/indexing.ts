/**
 * gather reads rows of a table by index; scatterAdd, its transpose, adds rows into a table of zeros. An index that is
 * negative, or not below the number of rows, names no row: gather gives the row that is missing (NaN, the least int32,
 * true), scatterAdd leaves the update out. Neither counts from the end, and neither fails: what depends on data cannot
 * be checked while tracing. It is `FILL_OR_DROP` of `jax.lax`, derivatives included: a row that is missing is a constant.
 */
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { formatShape, isFloat, sameShape, sizeOf, type TensorType } from '../types.js';
import { allocate, free, type Meaning } from './definition.js';

function checkIndices(indices: TensorType): void {
  if (indices.dtype !== 'int32') throw new DTypeError(`takes int32 indices, got ${indices.dtype}.`);
}

const isRow = (index: number, rows: number): boolean => index >= 0 && index < rows;

/** `(table [rows, ...row], indices [...index]) → [...index, ...row]`. */
export const gatherOp: Meaning<'gather'> = {
  infer: ([table, indices]) => {
    checkIndices(indices);
    if (table.shape.length === 0) throw new ShapeError('needs a table of rank 1 or more, got a scalar.');
    return { dtype: table.dtype, shape: [...indices.shape, ...table.shape.slice(1)] };
  },
  evaluate: ([table, indices], { fill }, type) => {
    const width = sizeOf(table.shape.slice(1));
    const out = allocate(type.dtype, sizeOf(type.shape)).fill(fill);
    indices.data.forEach((row, i) => {
      if (isRow(row, table.shape[0]!))
        out.set(table.data.subarray(row * width, (row + 1) * width), i * width);
    });
    return out;
  },
  flops: free,
};

/** `(updates [...index, ...row], indices [...index]) → [rows, ...row]`; rows that no index names are zero. */
export const scatterAddOp: Meaning<'scatterAdd'> = {
  infer: ([updates, indices], { rows }) => {
    checkIndices(indices);
    if (!isFloat(updates.dtype))
      throw new DTypeError(`takes updates of float32 or float16, got ${updates.dtype}.`);
    if (!Number.isInteger(rows) || rows < 0) throw new ArgumentError(`rows is a count, got ${rows}.`);
    const rank = indices.shape.length;
    if (!sameShape(updates.shape.slice(0, rank), indices.shape)) {
      throw new ShapeError(
        `updates ${formatShape(updates.shape)} do not begin with the indices' shape ${formatShape(indices.shape)}.`,
      );
    }
    return { dtype: updates.dtype, shape: [rows, ...updates.shape.slice(rank)] };
  },
  evaluate: ([updates, indices], { rows }, type) => {
    const out = allocate(type.dtype, sizeOf(type.shape));
    const width = sizeOf(type.shape.slice(1));
    indices.data.forEach((row, i) => {
      if (!isRow(row, rows)) return;
      for (let k = 0; k < width; k++) out[row * width + k]! += updates.data[i * width + k]!;
    });
    return out;
  },
  flops: ([updates]) => sizeOf(updates.shape),
};
