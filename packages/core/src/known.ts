/**
 * What a place knows of a list or a record and the compiler does not: how many items there are, or which names. Checked, so that a
 * mistake is an error where it is made and not an `undefined` further on.
 */
import { ArgumentError } from './errors.js';

/** A tuple of `N` items of type `T`. */
type Tuple<T, N extends number, Items extends readonly T[] = readonly []> = Items['length'] extends N
  ? Items
  : Tuple<T, N, readonly [...Items, T]>;

/** The first `count` items as a tuple, such as the dimensions of an image. @throws {ArgumentError} when there are fewer */
export function leading<T, const N extends number>(items: ArrayLike<T>, count: N): Tuple<T, N> {
  if (items.length < count) throw new ArgumentError(`Expected ${count} or more items, got ${items.length}.`);
  return Array.from({ length: count }, (_, i) => items[i]) as readonly unknown[] as Tuple<T, N>;
}

/** As many items as in a list of known length, of another type. */
export type Each<Items extends readonly unknown[], T> = { readonly [I in keyof Items]: T };

/** `items.map(f)`, which is as long as `items` is: of a tuple, a tuple. */
export function each<const Items extends readonly unknown[], T>(
  items: Items,
  f: (item: Items[number], index: number) => T,
): Each<Items, T> {
  return items.map(f) as readonly unknown[] as Each<Items, T>;
}

/** The entries of these names, such as the outputs of a run. @throws {ArgumentError} when there is no such entry */
export function pick<T, const K extends string>(
  record: Readonly<Record<string, T>>,
  ...names: readonly K[]
): Readonly<Record<K, T>> {
  const missing = names.find((name) => !Object.hasOwn(record, name));
  if (missing !== undefined) {
    throw new ArgumentError(
      `There is no "${missing}"; there are ${Object.keys(record).join(', ') || 'none'}.`,
    );
  }
  return record as Readonly<Record<K, T>>;
}
