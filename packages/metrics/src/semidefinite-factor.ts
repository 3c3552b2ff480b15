/**
 * The factor F of a symmetric matrix without negative eigenvalues, S = F·Fᵀ, by Cholesky's decomposition with pivots, which also
 * finds the rank: it ends where what is left is rounding noise (Higham, "Analysis of the Cholesky decomposition of a
 * semi-definite matrix", 1990; the order of work in blocks is that of LAPACK's dpstrf).
 */
import { addProducts } from './products.js';

const BLOCK = 32;

/** F transposed: `rank` rows of `dimension` numbers. */
export interface SemidefiniteFactor {
  readonly rank: number;
  readonly dimension: number;
  readonly rows: Float64Array;
}

/**
 * Factors a matrix.
 *
 * @param matrix `[dimension, dimension]`, of which the lower triangle is read; it is not changed
 */
export function semidefiniteFactor(matrix: Float64Array, dimension: number): SemidefiniteFactor {
  const n = dimension;
  const work = matrix.slice();
  const order = Int32Array.from({ length: n }, (_, i) => i);
  let largest = 0;
  for (let i = 0; i < n; i++) largest = Math.max(largest, work[i * n + i]!);
  const noise = n * Number.EPSILON * largest;
  let rank = 0;
  for (let start = 0; start < n && rank === start; start += BLOCK) {
    const end = Math.min(n, start + BLOCK);
    rank = factorBlock(work, n, start, end, order, noise);
    if (rank < end || end === n) break;
    const rows = n - end;
    const panel = { data: work, rows, stride: n, offset: end * n + start };
    const rest = { data: work, rows, stride: n, offset: end * n + end };
    addProducts(rest, panel, panel, BLOCK, { sign: -1, isLower: true });
  }
  const rows = new Float64Array(rank * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= Math.min(i, rank - 1); j++) rows[j * n + order[i]!] = work[i * n + j]!;
  }
  return { rank, dimension: n, rows };
}

/**
 * Columns `start` to `end`, whose earlier ones have been taken off already.
 *
 * @returns the column at which only noise was left, or `end`
 */
function factorBlock(
  work: Float64Array,
  n: number,
  start: number,
  end: number,
  order: Int32Array,
  noise: number,
): number {
  // What is left of each place of the diagonal.
  const left = new Float64Array(n);
  for (let i = start; i < n; i++) left[i] = work[i * n + i]!;
  for (let j = start; j < end; j++) {
    let pivot = j;
    for (let i = j + 1; i < n; i++) if (left[i]! > left[pivot]!) pivot = i;
    if (!(left[pivot]! > noise)) return j;
    if (pivot !== j) {
      swap(work, n, j, pivot);
      [left[j], left[pivot]] = [left[pivot]!, left[j]!];
      [order[j], order[pivot]] = [order[pivot]!, order[j]!];
    }
    const bound = left[j]!;
    const root = Math.sqrt(bound);
    work[j * n + j] = root;
    for (let i = j + 1; i < n; i++) {
      let sum = work[i * n + j]!;
      for (let t = start; t < j; t++) sum -= work[i * n + t]! * work[j * n + t]!;
      // No entry is larger than the pivot in a matrix without negative eigenvalues: what is, is noise of the input.
      const value = Math.max(-bound, Math.min(bound, sum)) / root;
      work[i * n + j] = value;
      left[i]! -= value * value;
    }
  }
  return end;
}

/** Swaps two rows and columns of a lower triangle, i < j. */
function swap(work: Float64Array, n: number, i: number, j: number): void {
  const exchange = (a: number, b: number): void => {
    [work[a], work[b]] = [work[b]!, work[a]!];
  };
  for (let t = 0; t < i; t++) exchange(i * n + t, j * n + t);
  exchange(i * n + i, j * n + j);
  for (let t = i + 1; t < j; t++) exchange(t * n + i, j * n + t);
  for (let t = j + 1; t < n; t++) exchange(t * n + i, t * n + j);
}
