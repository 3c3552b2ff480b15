/**
 * Precedence: who must run before whom, among the units that fusion has made so far. A unit runs before those that read its
 * results, and, where one writes over what it reads, before that. Ranks hold it: a unit's is above those of all that run after it,
 * so that most questions are answered by a comparison.
 */
import type { StorageId } from '../program/program.js';
import { Building, type Consumer } from './building.js';

const resultsOf = (unit: Consumer) => (unit instanceof Building ? unit.results : [unit.node.output]);
const readsOf = (unit: Consumer) => (unit instanceof Building ? unit.kernel.reads : unit.node.inputs);
const overwrittenBy = (unit: Consumer) =>
  unit instanceof Building ? unit.kernel.inPlace.map(({ value }) => value) : [];

export class Precedence {
  private readonly readers = new Map<StorageId, Set<Consumer>>();
  private readonly writers = new Map<StorageId, Consumer>();
  private readonly overwriters = new Map<StorageId, Consumer>();

  readersOf(storage: StorageId): ReadonlySet<Consumer> {
    return this.readers.get(storage) ?? new Set();
  }

  reads(unit: Consumer, storage: StorageId): void {
    if (!this.readers.has(storage)) this.readers.set(storage, new Set());
    this.readers.get(storage)!.add(unit);
  }

  readsNoLonger(unit: Consumer, storage: StorageId): void {
    this.readers.get(storage)?.delete(unit);
  }

  writes(unit: Consumer, storage: StorageId): void {
    this.writers.set(storage, unit);
  }

  /** Whether no other of these must run before the unit. */
  mayPrecede(unit: Consumer, others: Iterable<Consumer>): boolean {
    return [...others].every((other) => other === unit || !this.mustPrecede(other, unit));
  }

  /** Has the unit run before the others, which it may. */
  putBefore(unit: Consumer, others: Iterable<Consumer>): void {
    for (const other of others) if (other !== unit) this.raise(unit, other.rank + 1);
  }

  /** Has all other readers of what a kernel writes over run before it. @returns whether that is possible */
  letOverwrite(kernel: Building, storage: StorageId): boolean {
    if (this.overwriters.has(storage)) return false;
    const others = [...this.readersOf(storage)].filter((other) => other !== kernel);
    if (others.some((other) => this.mustPrecede(kernel, other))) return false;
    this.overwriters.set(storage, kernel);
    for (const other of others) this.raise(other, kernel.rank + 1);
    return true;
  }

  private mustPrecede(first: Consumer, second: Consumer): boolean {
    const seen = new Set<Consumer>();
    const pending = [first];
    for (let unit = pending.pop(); unit !== undefined; unit = pending.pop()) {
      if (unit === second) return true;
      if (unit.rank <= second.rank || seen.has(unit)) continue;
      seen.add(unit);
      for (const { storage } of resultsOf(unit)) pending.push(...this.readersOf(storage));
      for (const { storage } of readsOf(unit)) {
        const overwriter = this.overwriters.get(storage);
        if (overwriter !== undefined) pending.push(overwriter);
      }
    }
    return false;
  }

  private raise(unit: Consumer, rank: number): void {
    if (unit.rank >= rank) return;
    unit.rank = rank;
    for (const { storage } of readsOf(unit)) {
      const writer = this.writers.get(storage);
      if (writer !== undefined && writer !== unit) this.raise(writer, rank + 1);
    }
    for (const { storage } of overwrittenBy(unit)) {
      if (this.overwriters.get(storage) !== unit) continue;
      for (const reader of this.readersOf(storage)) if (reader !== unit) this.raise(reader, rank + 1);
    }
  }
}
