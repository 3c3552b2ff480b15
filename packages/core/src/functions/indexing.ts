/** Rows of tables by index, and the function that every derivative takes as a constant. */
import { apply, inContext } from '../apply.js';
import { MISSING } from '../special-values.js';
import type { Tensor } from '../tensor.js';
import { cast, equal } from './elementwise.js';
import { expandDims } from './shaping.js';
import { iota } from './sources.js';

/**
 * Rows of `table [rows, ...row]` by int32 `indices [...index]`: `[...index, ...row]`. An index below 0, or not below
 * `rows`, names no row: the result is NaN there (the least int32 for int32, true for bool).
 */
export function gather(table: Tensor, indices: Tensor): Tensor {
  return inContext('gather', [table, indices], () =>
    apply('gather', [table, indices], { fill: MISSING[table.dtype] }),
  );
}
/** The same with zeros for rows that are missing: the linear part, which derivatives are made of. */
export function gatherOrZero(table: Tensor, indices: Tensor): Tensor {
  return apply('gather', [table, indices], { fill: 0 });
}
/**
 * Adds `updates [...index, ...row]` into a table of `rows` zero rows at int32 `indices [...index]`. Updates whose index is
 * below 0, or not below `rows`, are left out.
 */
export function scatterAdd(updates: Tensor, indices: Tensor, rows: number): Tensor {
  return apply('scatterAdd', [updates, indices], { rows });
}
/** 1 at the index and 0 elsewhere, along a new last axis of size `depth`; float32. Of an index out of range all are 0. */
export function oneHot(indices: Tensor, depth: number): Tensor {
  const classes = iota([...indices.shape.map(() => 1), depth], indices.rank, 'int32');
  return cast(equal(expandDims(indices, -1), classes), 'float32');
}
/** The same value, taken as a constant by every derivative. */
export function stopGradient(x: Tensor): Tensor {
  return apply('stopGradient', [x], {});
}

/**
 * `x`, but not before `after` exists, and never merged with an equal value: the order in which parts of a graph are
 * computed decides what has to be kept meanwhile.
 */
export function optimizationBarrier(x: Tensor, after: Tensor): Tensor {
  return apply('optimizationBarrier', [x, after], {});
}
