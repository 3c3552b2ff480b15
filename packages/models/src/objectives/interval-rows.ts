/**
 * The rows of a batch that have an interval. Where r = t a derivative of the average velocity is multiplied by zero, so it is taken
 * only of the rows for which that is not known: the last ones of the batch, as draws order them. How many there are says the shape
 * of the drawn r, `[rows]` with rows ≤ batch; the rows before have r = t. An r of the whole batch says of no row that it has none.
 */
import {
  concat,
  full,
  HostArray,
  pad,
  slice,
  treeMap,
  type RandomKey,
  type Symbolic,
  type Tensor,
} from '@meanflow/core';
import { sampleIntervals, rowsWithInterval, type Intervals, type IntervalSampler } from '@meanflow/samplers';
import * as z from 'zod';
import type { VelocityDraws } from './velocity-objective.js';

/** Which rows the derivative is taken of. */
export const tangentRows = z
  .enum(['interval', 'all'])
  .optional()
  .describe(
    'Rows of which the derivative is taken. interval (default): those that may have r ≠ t, where the sampler draws them last; on the others it is multiplied by zero. all: the same numbers from more work.',
  );
export type TangentRows = NonNullable<z.infer<typeof tangentRows>>;

/** Intervals of a batch, and which rows have none. */
export type DrawnIntervals = Pick<VelocityDraws, 't' | 'r'> & Pick<Intervals, 'equal'>;

/** Draws intervals; r is of the last rows, and is left out where no row has an interval. */
export function drawIntervals(
  key: RandomKey,
  sampler: IntervalSampler,
  count: number,
  rows: TangentRows = 'interval',
): DrawnIntervals {
  const { t, r, equal } = sampleIntervals(key, sampler, count);
  const last = rows === 'all' ? count : rowsWithInterval(sampler, count);
  return last === 0 ? { t, equal } : { t, r: r.rows(count - last, count), equal };
}

/** The beginning of each row's interval: r on the last rows, t on those before. */
export function wholeIntervals({ t, r }: Pick<VelocityDraws, 't' | 'r'>): HostArray<'float32'> {
  if (r === undefined) return t;
  const before = t.shape[0]! - r.shape[0]!;
  return before === 0 ? r : HostArray.joinRows([t.rows(0, before), r]);
}

/** The last rows of a batch. */
export interface IntervalRows {
  /** How many. */
  readonly count: number;
  /** Those rows of `[batch, …]`. */
  readonly of: (x: Tensor) => Tensor;
  /** The same of a tree of such. */
  readonly ofTree: <T>(tree: T) => T;
  /** `[count, …]` among zeros, `[batch, …]`. */
  readonly amongZeros: (x: Tensor) => Tensor;
}

/** The last `count` rows of a batch of so many. */
export function lastRows(count: number, batch: number): IntervalRows {
  const before = batch - count;
  const first = (x: Tensor, n: number) => x.shape.map((_, axis) => (axis === 0 ? n : 0));
  const of = (x: Tensor) => (before === 0 ? x : slice(x, first(x, before), x.shape));
  return {
    count,
    of,
    ofTree: <T>(tree: T) => treeMap<Tensor, Tensor, never>(of, tree as never) as T,
    amongZeros: (x) => {
      if (before === 0) return x;
      return count === 0 ? full([batch, ...x.shape.slice(1)], 0) : pad(x, { low: first(x, before) });
    },
  };
}

/** r of every row, and which rows have an interval. */
export function intervalsOf({ t, r }: Pick<Symbolic<VelocityDraws>, 't' | 'r'>): {
  readonly r: Tensor;
  readonly rows: IntervalRows;
} {
  const batch = t.shape[0]!;
  const rows = lastRows(r?.shape[0] ?? 0, batch);
  if (r === undefined) return { r: t, rows };
  return { r: rows.count === batch ? r : concat([slice(t, [0], [batch - rows.count]), r]), rows };
}
