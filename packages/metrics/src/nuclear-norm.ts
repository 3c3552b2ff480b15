/**
 * The sum of a matrix's singular values. Householder reflections from both sides leave two diagonals (Golub and Kahan, 1965); the
 * singular values of these are the positive eigenvalues of a symmetric tridiagonal matrix with zeros on its diagonal (the same
 * paper), found by implicit QL steps. No squares are formed on the way, so that small singular values keep their digits.
 */
import { DataError } from '@meanflow/core';

/** Steps for one eigenvalue; two or so are usual. */
const MOST_STEPS = 100;

/**
 * The nuclear norm.
 *
 * @param matrix `[rows, columns]` with rows ≥ columns; it is overwritten
 */
export function nuclearNorm(matrix: Float64Array, rows: number, columns: number): number {
  const beside = bidiagonalise(matrix, rows, columns);
  const largest = beside.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (!(largest > 0)) return largest;
  // Of size 1, so that no square is too large or too small for a number.
  const scaled = beside.map((value) => value / largest);
  const values = tridiagonalEigenvalues(new Float64Array(2 * columns), scaled);
  return (largest * values.reduce((sum, value) => sum + Math.abs(value), 0)) / 2;
}

/**
 * The two diagonals, one beside the other: d₀, e₀, d₁, e₁, …, then a zero.
 *
 * Each step reflects a column and then a row. Of both, A ← A − u·wᵀ − y·vᵀ, only the places that the next step looks at are
 * brought up to date at once, the rest in the pass over A in which the next step needs it anyway.
 */
function bidiagonalise(a: Float64Array, rows: number, columns: number): Float64Array {
  const beside = new Float64Array(2 * columns);
  let [u, y] = [new Float64Array(rows), new Float64Array(rows)];
  let [w, v] = [new Float64Array(columns), new Float64Array(columns)];
  let [nextU, nextY] = [new Float64Array(rows), new Float64Array(rows)];
  let [nextW, nextV] = [new Float64Array(columns), new Float64Array(columns)];
  for (let k = 0; k < columns; k++) {
    for (let i = k; i < rows; i++) nextU[i] = a[i * columns + k]! - u[i]! * w[k]! - y[i]! * v[k]!;
    const [diagonal, tau] = reflector(nextU, k, rows);
    beside[2 * k] = diagonal;
    nextW.fill(0);
    update(a, columns, k, rows, { u, y, w, v }, nextU, nextW);
    for (let j = k + 1; j < columns; j++) nextW[j]! *= tau;
    nextV.fill(0);
    nextY.fill(0);
    if (k + 1 < columns) {
      // The row as the column's reflection leaves it; u is 1 at its head.
      for (let j = k + 1; j < columns; j++) nextV[j] = a[k * columns + j]! - nextW[j]!;
      const [besideIt, share] = reflector(nextV, k + 1, columns);
      beside[2 * k + 1] = besideIt;
      let across = 0;
      for (let j = k + 1; j < columns; j++) across += nextW[j]! * nextV[j]!;
      for (let i = k; i < rows; i++) {
        let sum = 0;
        const at = i * columns;
        for (let j = k + 1; j < columns; j++) sum += a[at + j]! * nextV[j]!;
        nextY[i] = share * (sum - nextU[i]! * across);
      }
    }
    [u, nextU, y, nextY] = [nextU, u, nextY, y];
    [w, nextW, v, nextV] = [nextW, w, nextV, v];
  }
  return beside;
}

/** What the step before leaves to be done. */
interface Pending {
  readonly u: Float64Array;
  readonly w: Float64Array;
  readonly y: Float64Array;
  readonly v: Float64Array;
}

/** A ← A − u·wᵀ − y·vᵀ below and right of the step's corner, and Aᵀ·next into `sums`; two rows at a time. */
function update(
  a: Float64Array,
  columns: number,
  k: number,
  rows: number,
  { u, w, y, v }: Pending,
  next: Float64Array,
  sums: Float64Array,
): void {
  let i = k;
  for (; i + 1 < rows; i += 2) {
    const [at, below] = [i * columns, (i + 1) * columns];
    const [u0, y0, n0, u1, y1, n1] = [u[i]!, y[i]!, next[i]!, u[i + 1]!, y[i + 1]!, next[i + 1]!];
    for (let j = k + 1; j < columns; j++) {
      const [wj, vj] = [w[j]!, v[j]!];
      const x0 = a[at + j]! - u0 * wj - y0 * vj;
      const x1 = a[below + j]! - u1 * wj - y1 * vj;
      a[at + j] = x0;
      a[below + j] = x1;
      sums[j]! += n0 * x0 + n1 * x1;
    }
  }
  for (; i < rows; i++) {
    for (let j = k + 1; j < columns; j++) {
      const x = a[i * columns + j]! - u[i]! * w[j]! - y[i]! * v[j]!;
      a[i * columns + j] = x;
      sums[j]! += next[i]! * x;
    }
  }
}

/** The reflector of x[from … to]: it overwrites x, its first entry 1; what it makes of x, and the factor τ of I − τ·u·uᵀ. */
function reflector(x: Float64Array, from: number, to: number): [value: number, tau: number] {
  const head = x[from]!;
  let largest = 0;
  for (let i = from + 1; i < to; i++) largest = Math.max(largest, Math.abs(x[i]!));
  x.fill(0, 0, from);
  x[from] = 1;
  if (largest === 0) return [head, 0];
  const scale = Math.max(largest, Math.abs(head));
  let sum = (head / scale) ** 2;
  for (let i = from + 1; i < to; i++) sum += (x[i]! / scale) ** 2;
  const norm = scale * Math.sqrt(sum);
  const value = head > 0 ? -norm : norm;
  for (let i = from + 1; i < to; i++) x[i]! /= head - value;
  return [value, (value - head) / value];
}

/**
 * Eigenvalues of a symmetric tridiagonal matrix, by implicit QL steps (Dubrulle, Martin and Wilkinson, 1968). Both are overwritten.
 *
 * @param d the diagonal
 * @param e what is beside it, as long, the largest of size 1, the last one 0
 */
function tridiagonalEigenvalues(d: Float64Array, e: Float64Array): Float64Array {
  const n = d.length;
  for (let l = 0; l < n; l++) {
    for (let steps = 0; ; steps++) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]!) > Number.EPSILON) m++;
      if (m === l) break;
      if (steps === MOST_STEPS)
        throw new DataError('The singular values were not found: are all numbers finite?');
      step(d, e, l, m);
    }
  }
  return d;
}

/** One step on the block from l to m, which are not cut off from each other. */
function step(d: Float64Array, e: Float64Array, l: number, m: number): void {
  let g = (d[l + 1]! - d[l]!) / (2 * e[l]!);
  let r = Math.hypot(g, 1);
  g = d[m]! - d[l]! + e[l]! / (g + (g >= 0 ? r : -r));
  let [sine, cosine, p] = [1, 1, 0];
  for (let i = m - 1; i >= l; i--) {
    const f = sine * e[i]!;
    const b = cosine * e[i]!;
    r = Math.sqrt(f * f + g * g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1]! -= p;
      e[m] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    g = d[i + 1]! - p;
    r = (d[i]! - g) * sine + 2 * cosine * b;
    p = sine * r;
    d[i + 1] = g + p;
    g = cosine * r - b;
  }
  d[l]! -= p;
  e[l] = g;
  e[m] = 0;
}
