/** Part of a batch: the rows of every array of a tree, for who shares a batch out. */
import { ArgumentError } from './errors.js';
import { type HostArray } from './host-array.js';
import { treeFlatten, type Tree } from './pytree.js';

/** The rows [from, to) of a batch of so many. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
  readonly of: number;
}

/** @throws {ArgumentError} when there are no such rows */
export function checkRows({ from, to, of }: RowRange): void {
  if (Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from < to && to <= of) return;
  throw new ArgumentError(`The rows from ${from} to ${to} are not among the ${of} of the batch.`);
}

/**
 * Rows of a batch, or of the draws for one: of every array those along its first axis; scalars are for all rows. Shares memory.
 *
 * @throws {ArgumentError} when the rows are not among them, or an array is neither a scalar nor of so many rows
 */
export function rowsOf<T extends Tree<HostArray>>(tree: T, range: RowRange): T {
  checkRows(range);
  const { from, to, of } = range;
  const { leaves, structure } = treeFlatten<HostArray>(tree);
  const rows = leaves.map((leaf, i) => {
    if (leaf.shape.length === 0) return leaf;
    if (leaf.shape[0] === of) return leaf.rows(from, to);
    throw new ArgumentError(
      `"${structure.paths[i] ?? ''}" is ${leaf}: neither a scalar nor ${of} rows, one for each of the batch. ` +
        'An objective whose draws have another form says with `rowsOf` what belongs to which rows.',
    );
  });
  return structure.unflatten(rows) as T;
}
