/**
 * The leaves of nested containers, each with the keys that lead to it. Containers may be shared, so that a small pickle
 * can describe an enormous tree, and may hold themselves: what is visited is counted, and depth is bounded.
 */
import { DataError } from '@meanflow/core';
import { Attributes, Tuple } from './values.js';

const MOST_NODES = 500_000;
const DEEPEST = 100;
/** Parts of a key that is a tuple. */
const LONGEST_KEY = 16;

/** Calls `visit` for everything that is no container. */
export function visitLeaves(
  root: unknown,
  source: string,
  visit: (path: string, leaf: unknown) => void,
): void {
  let nodes = 0;
  const walk = (value: unknown, path: string, depth: number): void => {
    if (++nodes > MOST_NODES)
      throw new DataError(`${source} describes more than ${MOST_NODES} values: it is no checkpoint.`);
    if (depth > DEEPEST) throw new DataError(`${source} is nested more than ${DEEPEST} deep.`);
    const children = childrenOf(value);
    if (children === undefined) visit(path, value);
    else for (const [key, child] of children) walk(child, path === '' ? key : `${path}/${key}`, depth + 1);
  };
  walk(root, '', 0);
}

function childrenOf(value: unknown): Iterable<readonly [string, unknown]> | undefined {
  if (value instanceof Attributes) return named(value.values);
  if (value instanceof Map) return named(value);
  if (value instanceof Tuple) return numbered(value.items);
  if (value instanceof Set) return numbered([...value]);
  if (Array.isArray(value)) return numbered(value);
  return undefined;
}

function* named(map: ReadonlyMap<unknown, unknown>): Generator<readonly [string, unknown]> {
  for (const [key, value] of map) yield [keyText(key), value];
}

function* numbered(items: readonly unknown[]): Generator<readonly [string, unknown]> {
  for (const [index, value] of items.entries()) yield [String(index), value];
}

function keyText(key: unknown): string {
  const plain = (part: unknown): string =>
    typeof part === 'object' && part !== null ? 'object' : String(part);
  // Tuples in it are not unfolded: a few bytes can describe one of any size.
  return key instanceof Tuple && key.items.length <= LONGEST_KEY
    ? `(${key.items.map(plain).join(', ')})`
    : plain(key);
}
