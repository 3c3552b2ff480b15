/**
 * Whether what is drawn at random is independent, in two ways. `dependentPairs` looks at numbers: at correlations of values and of
 * their squares, the latter because normal numbers of the words that uniform ones are of have none with them in the mean.
 * `repeatedDraws` looks at keys: two draws from one key are the same words, whatever is made of them and in whichever places.
 */
import { ArgumentError, RandomKey } from '@meanflow/core';

/** Correlations of so many standard deviations: of independent numbers one in a million is beyond them. */
const DEVIATIONS = 5;

/** Values less their mean, at a mean square of 1; undefined where they are all the same. */
function standardised(values: ArrayLike<number>): Float64Array | undefined {
  const list = Float64Array.from(values);
  const mean = list.reduce((sum, x) => sum + x, 0) / list.length;
  const scale = Math.sqrt(list.reduce((sum, x) => sum + (x - mean) ** 2, 0) / list.length);
  // Two values that are equally frequent have squares that differ by roundings alone.
  return scale > 1e-9 ? list.map((x) => (x - mean) / scale) : undefined;
}

/**
 * The pairs of `streams` whose correlation, or that of their squares about the mean, is beyond 5/√n; n is the number of values, the
 * same for all. A stream of one value only is listed too: nothing can be said of it.
 *
 * @throws {ArgumentError} when streams are of different lengths, or of fewer than 100 values
 */
export function dependentPairs(streams: Readonly<Record<string, ArrayLike<number>>>): string[] {
  const found: string[] = [];
  const [count = 0, ...others] = Object.values(streams).map(({ length }) => length);
  if (count < 100 || others.some((other) => other !== count)) {
    throw new ArgumentError(
      `Streams are of one length, at least 100; these are of ${[count, ...others].join(', ')}.`,
    );
  }
  const views = Object.entries(streams).flatMap(([name, values]) => {
    const value = standardised(values);
    if (value === undefined) found.push(`${name} is constant`);
    // The squares of numbers that have two values alike often, as of coins, are all the same.
    const squares = value && standardised(value.map((x) => x * x));
    return [value, squares].flatMap((view) => (view === undefined ? [] : [{ name, view }]));
  });
  const bound = DEVIATIONS / Math.sqrt(count);
  for (const [i, a] of views.entries()) {
    for (const b of views.slice(i + 1)) {
      const correlation = a.view.reduce((sum, x, k) => sum + x * b.view[k]!, 0) / count;
      const pair = `${a.name} and ${b.name}`;
      if (a.name !== b.name && Math.abs(correlation) > bound && !found.includes(pair)) found.push(pair);
    }
  }
  return found;
}

/** How often `use` draws from each key that it draws from more than once; a key is told by its first words. */
export function repeatedDraws(use: () => unknown): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  const { bits } = Object.getOwnPropertyDescriptors(RandomKey.prototype);
  const original = bits.value!;
  RandomKey.prototype.bits = function (this: RandomKey, count: number) {
    const name = original.call(this, 4).join(' ');
    counts.set(name, (counts.get(name) ?? 0) + 1);
    return original.call(this, count);
  };
  try {
    use();
  } finally {
    Object.defineProperty(RandomKey.prototype, 'bits', bits);
  }
  if (counts.size === 0) throw new ArgumentError('Nothing was drawn.');
  return Object.fromEntries([...counts].filter(([, count]) => count > 1));
}
