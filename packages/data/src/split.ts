/**
 * The held-out split and the order of epochs: which rows of a table are learnt from, which are kept to judge by, and
 * which rows a batch takes. Both follow from keys alone.
 */
import { ArgumentError, RandomKey } from '@meanflow/core';

/** How rows are held out. */
export interface SplitOptions {
  /** Seed of the split; the same seed gives the same held-out rows. Default 0. */
  readonly seed?: number;
  /** Share of the rows held out; 0: none, and then there are none to judge by. Default 0.2. */
  readonly heldOut?: number;
}

/** Row numbers of each split, ascending. */
export interface SplitRows {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

/** @throws {ArgumentError} when a share of rows to hold out is not from 0 (none) to below 1 */
export function checkHeldOut(heldOut: number, name: string): void {
  if (heldOut >= 0 && heldOut < 1) return;
  throw new ArgumentError(`The held-out share of "${name}" is from 0, below 1, got ${heldOut}.`);
}

/** @throws {ArgumentError} when rows to judge by are asked for, and there are none */
export function checkNotEmpty(rows: Int32Array, name: string): void {
  if (rows.length > 0) return;
  throw new ArgumentError(`No rows of "${name}" are held out to judge by: its held-out share is 0.`);
}

/**
 * Splits rows at random, taking from every class the same share (to a row), so that no class goes missing on one side
 * by chance.
 *
 * @param rowCount number of rows, from 0 on
 * @param labels the class of each row; undefined: all are one class
 * @param heldOut share of the rows to hold out, below 1; above 0 at least one row lands on each side where there are two
 * @param seed the same seed gives the same split
 */
export function splitRows(
  rowCount: number,
  labels: Int32Array | undefined,
  heldOut: number,
  seed: number,
): SplitRows {
  const shuffled = RandomKey.fromSeed(seed).fold('split').permutation(rowCount);
  // Every 1/heldOut-th row of the shuffled rows laid out class by class: exact in total, even by class.
  if (labels) shuffled.sort((a, b) => labels[a]! - labels[b]!);
  const wanted = heldOut === 0 ? 0 : Math.min(rowCount - 1, Math.max(1, Math.round(rowCount * heldOut)));
  const held = shuffled.map((_, i) =>
    Math.floor(((i + 1) * wanted) / rowCount) > Math.floor((i * wanted) / rowCount) ? 1 : 0,
  );
  if (labels) keepOneOfEach(held, shuffled.map((row) => labels[row]!)); // prettier-ignore
  const isTest = (i: number): boolean => held[i] === 1;
  return {
    train: shuffled.filter((_, i) => !isTest(i)).sort(),
    test: shuffled.filter((_, i) => isTest(i)).sort(),
  };
}

/**
 * Learns one row of each class at least: a class that is only judged would be asked for and never have been seen. Where that
 * leaves nothing to judge, a row of the largest class is held out.
 *
 * @param held 1 for each row that is held out, changed here
 * @param labels of the same rows, class by class
 */
function keepOneOfEach(held: Int32Array, labels: Int32Array): void {
  let largest = { start: 0, length: 0 };
  for (let start = 0; start < labels.length;) {
    let end = start;
    while (end < labels.length && labels[end] === labels[start]) end++;
    if (held.subarray(start, end).every((value) => value === 1)) held[start] = 0;
    if (end - start > largest.length) largest = { start, length: end - start };
    start = end;
  }
  if (largest.length > 1 && !held.includes(1)) held[largest.start] = 1;
}

/**
 * The rows of any batch, for batches that run through a finite set epoch by epoch, each epoch in an order of its own.
 * The orders of the latest epochs are kept, which changes the speed only.
 */
export class EpochOrder {
  private readonly orders = new Map<string, Int32Array>();

  constructor(private readonly rows: Int32Array) {}

  /** The rows of batch `step` of `size` rows: positions step·size … (step + 1)·size − 1 of the endless sequence. */
  batch(key: RandomKey, step: number, size: number): Int32Array {
    const batch = new Int32Array(size);
    for (let i = 0; i < size;) {
      const position = step * size + i;
      const epoch = Math.floor(position / this.rows.length);
      const order = this.order(key, epoch);
      const start = position - epoch * this.rows.length;
      const part = order.subarray(start, Math.min(order.length, start + size - i));
      batch.set(part, i);
      i += part.length;
    }
    return batch;
  }

  private order(key: RandomKey, epoch: number): Int32Array {
    const epochKey = key.fold('epoch').fold(epoch);
    // A key is known by what it draws.
    const id = epochKey.fold('id').bits(4).join();
    let order = this.orders.get(id);
    if (order === undefined) {
      order = epochKey.permutation(this.rows.length).map((i) => this.rows[i]!);
      if (this.orders.size >= 4) this.orders.delete(this.orders.keys().next().value!);
      this.orders.set(id, order);
    }
    return order;
  }
}
