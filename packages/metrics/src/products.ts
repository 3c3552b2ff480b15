/**
 * Products of rows, C ± A·Bᵀ, which covariances and Fréchet distances spend their time in. Tiles of 4 by 4 dot products share
 * what they load, over pieces of the rows that stay in the processor's caches: several times as fast as row by row.
 */

/** Numbers of a row that are read at a time, and rows of B that they are read of: 128 KiB. */
const PIECE = 256;
const ROWS = 64;
const TILE = 4;

/** Rows of numbers, one after another. */
export interface RowBlock {
  readonly data: Float64Array;
  readonly rows: number;
  /** From the beginning of a row to that of the next. */
  readonly stride: number;
  /** Where the first row begins. */
  readonly offset?: number;
}

/**
 * Adds `sign` · A·Bᵀ to a matrix of `a.rows` by `b.rows`.
 *
 * @param length numbers of each row that count
 * @param isLower only where the column's number is not above the row's
 */
export function addProducts(
  into: RowBlock,
  a: RowBlock,
  b: RowBlock,
  length: number,
  { sign = 1, isLower = false }: { readonly sign?: 1 | -1; readonly isLower?: boolean } = {},
): void {
  for (let from = 0; from < length; from += PIECE) {
    const to = Math.min(length, from + PIECE);
    for (let first = 0; first < b.rows; first += ROWS) {
      const last = Math.min(b.rows, first + ROWS);
      for (let i = isLower ? first : 0; i < a.rows; i += TILE) {
        const end = isLower ? Math.min(last, i + TILE) : last;
        for (let j = first; j < end; j += TILE) {
          if (i + TILE <= a.rows && j + TILE <= end && !(isLower && j + TILE > i + 1)) {
            addTile(into, a, b, i, j, from, to, sign);
          } else {
            addEdge(into, a, b, i, j, Math.min(a.rows, i + TILE), end, from, to, sign, isLower);
          }
        }
      }
    }
  }
}

/** Sixteen dot products at once. */
function addTile(
  into: RowBlock,
  a: RowBlock,
  b: RowBlock,
  i: number,
  j: number,
  from: number,
  to: number,
  sign: number,
): void {
  const [x, y] = [a.data, b.data];
  const a0 = (a.offset ?? 0) + i * a.stride;
  const a1 = a0 + a.stride;
  const a2 = a1 + a.stride;
  const a3 = a2 + a.stride;
  const b0 = (b.offset ?? 0) + j * b.stride;
  const b1 = b0 + b.stride;
  const b2 = b1 + b.stride;
  const b3 = b2 + b.stride;
  let [s00, s01, s02, s03] = [0, 0, 0, 0];
  let [s10, s11, s12, s13] = [0, 0, 0, 0];
  let [s20, s21, s22, s23] = [0, 0, 0, 0];
  let [s30, s31, s32, s33] = [0, 0, 0, 0];
  for (let t = from; t < to; t++) {
    const x0 = x[a0 + t]!;
    const x1 = x[a1 + t]!;
    const x2 = x[a2 + t]!;
    const x3 = x[a3 + t]!;
    const y0 = y[b0 + t]!;
    s00 += x0 * y0;
    s10 += x1 * y0;
    s20 += x2 * y0;
    s30 += x3 * y0;
    const y1 = y[b1 + t]!;
    s01 += x0 * y1;
    s11 += x1 * y1;
    s21 += x2 * y1;
    s31 += x3 * y1;
    const y2 = y[b2 + t]!;
    s02 += x0 * y2;
    s12 += x1 * y2;
    s22 += x2 * y2;
    s32 += x3 * y2;
    const y3 = y[b3 + t]!;
    s03 += x0 * y3;
    s13 += x1 * y3;
    s23 += x2 * y3;
    s33 += x3 * y3;
  }
  const c = into.data;
  const c0 = (into.offset ?? 0) + i * into.stride + j;
  const c1 = c0 + into.stride;
  const c2 = c1 + into.stride;
  const c3 = c2 + into.stride;
  c[c0]! += sign * s00;
  c[c0 + 1]! += sign * s01;
  c[c0 + 2]! += sign * s02;
  c[c0 + 3]! += sign * s03;
  c[c1]! += sign * s10;
  c[c1 + 1]! += sign * s11;
  c[c1 + 2]! += sign * s12;
  c[c1 + 3]! += sign * s13;
  c[c2]! += sign * s20;
  c[c2 + 1]! += sign * s21;
  c[c2 + 2]! += sign * s22;
  c[c2 + 3]! += sign * s23;
  c[c3]! += sign * s30;
  c[c3 + 1]! += sign * s31;
  c[c3 + 2]! += sign * s32;
  c[c3 + 3]! += sign * s33;
}

/** What no whole tile covers. */
function addEdge(
  into: RowBlock,
  a: RowBlock,
  b: RowBlock,
  firstRow: number,
  firstColumn: number,
  lastRow: number,
  lastColumn: number,
  from: number,
  to: number,
  sign: number,
  isLower: boolean,
): void {
  for (let i = firstRow; i < lastRow; i++) {
    const atA = (a.offset ?? 0) + i * a.stride;
    const atC = (into.offset ?? 0) + i * into.stride;
    const end = Math.min(firstColumn + TILE, lastColumn, isLower ? i + 1 : lastColumn);
    for (let j = firstColumn; j < end; j++) {
      const atB = (b.offset ?? 0) + j * b.stride;
      let sum = 0;
      for (let t = from; t < to; t++) sum += a.data[atA + t]! * b.data[atB + t]!;
      into.data[atC + j]! += sign * sum;
    }
  }
}
