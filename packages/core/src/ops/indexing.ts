/**
 * gather reads rows of a table by index; scatterAdd, its transpose, adds rows into a table of zeros. Indices must be
 * in range: backends differ on what they do with others, so the reference refuses them.
 */
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { gather, scatterAdd } from '../functions.js';
import { formatShape, sameShape, sizeOf, type TensorType } from '../types.js';
import type { None, OpAttributes } from './attributes.js';
import { allocate, free, type OpDefinition, type RefValue } from './definition.js';

function checkIndices(indices: TensorType): void {
  if (indices.dtype !== 'int32') throw new DTypeError(`takes int32 indices, got ${indices.dtype}.`);
}

function checkRange(indices: RefValue, rows: number): void {
  const bad = indices.data.findIndex((index) => index < 0 || index >= rows);
  if (bad >= 0) {
    throw new ArgumentError(
      `index ${indices.data[bad]} at position ${bad} is outside a table of ${rows} rows.`,
    );
  }
}

/** `(table [rows, ...row], indices [...index]) → [...index, ...row]`. */
export const gatherOp: OpDefinition<None> = {
  infer: ([table, indices]) => {
    checkIndices(indices);
    if (table.shape.length === 0) throw new ShapeError('needs a table of rank 1 or more, got a scalar.');
    return { dtype: table.dtype, shape: [...indices.shape, ...table.shape.slice(1)] };
  },
  jvp: ({ inputs: [, indices], tangents: [dt] }) => gather(dt!, indices),
  transpose: ({ cotangent, inputs: [table, indices] }) => [scatterAdd(cotangent, indices, table.shape[0])],
  evaluate: ([table, indices], _, type) => {
    checkRange(indices, table.shape[0]);
    const width = sizeOf(table.shape.slice(1));
    const out = allocate(type.dtype, sizeOf(type.shape));
    indices.data.forEach((row, i) => out.set(table.data.subarray(row * width, (row + 1) * width), i * width));
    return out;
  },
  flops: free,
};

/** `(updates [...index, ...row], indices [...index]) → [rows, ...row]`; rows that no index names are zero. */
export const scatterAddOp: OpDefinition<OpAttributes['scatterAdd']> = {
  infer: ([updates, indices], { rows }) => {
    checkIndices(indices);
    if (updates.dtype !== 'float32') throw new DTypeError(`takes float32 updates, got ${updates.dtype}.`);
    if (!Number.isInteger(rows) || rows < 0) throw new ArgumentError(`rows is a count, got ${rows}.`);
    const rank = indices.shape.length;
    if (!sameShape(updates.shape.slice(0, rank), indices.shape)) {
      throw new ShapeError(
        `updates ${formatShape(updates.shape)} do not begin with the indices' shape ${formatShape(indices.shape)}.`,
      );
    }
    return { dtype: 'float32', shape: [rows, ...updates.shape.slice(rank)] };
  },
  jvp: ({ inputs: [, indices], tangents: [du], attributes }) => scatterAdd(du!, indices, attributes.rows),
  transpose: ({ cotangent, inputs: [, indices] }) => [gather(cotangent, indices)],
  evaluate: ([updates, indices], { rows }, type) => {
    checkRange(indices, rows);
    const out = allocate('float32', sizeOf(type.shape));
    const width = sizeOf(type.shape.slice(1));
    indices.data.forEach((row, i) => {
      for (let k = 0; k < width; k++) out[row * width + k] += updates.data[i * width + k];
    });
    return out;
  },
  flops: ([updates]) => sizeOf(updates.shape),
};
