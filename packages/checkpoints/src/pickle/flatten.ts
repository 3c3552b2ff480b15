/**
 * The leaves of nested containers, each with the keys that lead to it. Containers may be shared, so that a small pickle can
 * describe an enormous tree, and may hold themselves: what is visited is counted, and depth is bounded. Objects of unknown
 * classes are entered too, once each, for the weights that may lie in them; what else is in them is not told.
 */
import { DataError } from '@meanflow/core';
import { Attributes, Tuple, UnknownObject } from './values.js';

const MOST_NODES = 500_000;
const DEEPEST = 100;
/** Parts of a key that is a tuple. */
const LONGEST_KEY = 16;
/** Lists of more numbers than that (a history of losses) are told as one value. */
const LONGEST_LIST = 1000;

export interface Leaves {
  /** What is no container. @param isInside whether it lies in an object of an unknown class */
  leaf(path: string, value: unknown, isInside: boolean): void;
  /** An object that is passed over, but for the weights in it. */
  passedOver(path: string, what: string): void;
}

/** @throws {DataError} when there are more of them than a checkpoint has, or a plain container is nested without end */
export function visitLeaves(root: unknown, source: string, { leaf, passedOver }: Leaves): void {
  const nodes = { outside: 0, inside: 0 };
  const entered = new Set<UnknownObject>();
  const walk = (value: unknown, path: string, depth: number, isInside: boolean): void => {
    if (isInside && ++nodes.inside > MOST_NODES) {
      if (nodes.inside === MOST_NODES + 1) passedOver(path, 'more in objects than is looked at');
      return;
    }
    if (!isInside && ++nodes.outside > MOST_NODES) {
      throw new DataError(`${source} describes more than ${MOST_NODES} values: it is no checkpoint.`);
    }
    if (depth > DEEPEST) {
      if (isInside) return;
      throw new DataError(`${source} is nested more than ${DEEPEST} deep.`);
    }
    if (value instanceof UnknownObject) {
      if (!isInside) passedOver(path, value.name);
      if (entered.has(value)) return;
      entered.add(value);
    }
    const numbers = longList(value);
    if (numbers !== undefined) return leaf(path, numbers, isInside);
    const children = childrenOf(value);
    if (children === undefined) return leaf(path, value, isInside);
    const inside = isInside || value instanceof UnknownObject;
    for (const [key, child] of children) walk(child, path === '' ? key : `${path}/${key}`, depth + 1, inside);
  };
  walk(root, '', 0, false);
}

function childrenOf(value: unknown): Iterable<readonly [string, unknown]> | undefined {
  if (value instanceof Attributes) return named(value.values);
  if (value instanceof Map) return named(value);
  if (value instanceof UnknownObject) return partsOf(value);
  if (value instanceof Tuple) return numbered(value.items);
  if (value instanceof Set) return numbered([...value]);
  if (Array.isArray(value)) return numbered(value);
  return undefined;
}

/** Attributes by their names, items by their keys, and arguments by their places. */
function* partsOf({ parts, items }: UnknownObject): Generator<readonly [string, unknown]> {
  for (const part of parts) {
    // What an object has in slots comes in a pair with its other attributes.
    const states = part instanceof Tuple ? part.items : [part];
    for (const [place, state] of states.entries()) {
      if (state instanceof Map) yield* named(state);
      else yield [String(place), state];
    }
  }
  yield* named(items);
}

function* named(entries: Iterable<readonly [unknown, unknown]>): Generator<readonly [string, unknown]> {
  let objects = 0;
  for (const [key, value] of entries) {
    const text = keyText(key);
    // Objects are no names, but are told from each other.
    yield [text === OBJECT && objects++ > 0 ? `${OBJECT} ${objects}` : text, value];
  }
}

function* numbered(items: readonly unknown[]): Generator<readonly [string, unknown]> {
  for (const [index, value] of items.entries()) yield [String(index), value];
}

const OBJECT = 'object';

function keyText(key: unknown): string {
  const plain = (part: unknown): string =>
    typeof part === 'object' && part !== null ? OBJECT : String(part);
  // Tuples in it are not unfolded: a few bytes can describe one of any size.
  return key instanceof Tuple && key.items.length <= LONGEST_KEY
    ? `(${key.items.map(plain).join(', ')})`
    : plain(key);
}

/** What is said of a long list of numbers; undefined for anything else. */
function longList(value: unknown): string | undefined {
  const items = value instanceof Tuple ? value.items : value;
  if (!Array.isArray(items) || items.length <= LONGEST_LIST) return undefined;
  return items.every((item) => typeof item === 'number') ? `a list of ${items.length} numbers` : undefined;
}
