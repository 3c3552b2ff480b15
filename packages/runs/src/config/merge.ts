/**
 * Changes laid over a configuration: objects key by key, everything else as a whole. Where the change names another `kind`, the
 * object is replaced, because the fields of one kind mean nothing to another. A list is replaced too, but by an object whose keys are
 * all elements, `{ "[2]": … }`, which changes those: it is how `--set sampling.nfe[2]=8` is written down.
 */
import { ArgumentError } from '@meanflow/core';
import { fieldPath, type FieldPath } from '@meanflow/core/validation';

/** A JSON object of unknown content. */
export type JsonRecord = { readonly [key: string]: unknown };

/** Whether a value is an object in JSON's sense. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The key by which a change names an element of a list. */
export function elementKey(index: number): string {
  return `[${index}]`;
}

/**
 * `changes` over `base`; `undefined` changes nothing. Neither is modified, and nothing is checked.
 *
 * @throws {ElementError} for an element that lies beyond its list
 */
export function merge(base: unknown, changes: unknown): unknown {
  return mergeAt([], base, changes);
}

function mergeAt(path: FieldPath, base: unknown, changes: unknown): unknown {
  if (changes === undefined) return base;
  if (!isRecord(changes)) return changes;
  if (Array.isArray(base) && isOfElements(changes)) return withElements(path, base, changes);
  const isOther = !isRecord(base) || (changes.kind !== undefined && changes.kind !== base.kind);
  const merged = new Map(isOther ? [] : Object.entries(base));
  for (const [key, change] of Object.entries(changes)) {
    merged.set(key, mergeAt([...path, key], merged.get(key), change));
  }
  return Object.fromEntries(merged);
}

/** A configuration in which elements that were named from the first on are a list, where there was none that they would be of. */
export function settled(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const fields = Object.entries(value).map(([key, field]) => [key, settled(field)] as const);
  const isList = fields.length > 0 && fields.every((_, i) => Object.hasOwn(value, elementKey(i)));
  return isList ? fields.map((_, i) => settled(value[elementKey(i)])) : Object.fromEntries(fields);
}

const ELEMENT = /^\[(\d+)\]$/;

function isOfElements(changes: JsonRecord): boolean {
  const keys = Object.keys(changes);
  return keys.length > 0 && keys.every((key) => ELEMENT.test(key));
}

/** A change of an element that lies beyond its list. */
export class ElementError extends ArgumentError {
  constructor(
    readonly path: FieldPath,
    readonly problem: string,
  ) {
    super(`${fieldPath(path)}${problem}`);
  }

  override get name(): string {
    return 'ElementError';
  }
}

/** The list with these elements changed; one more may follow its last. */
function withElements(path: FieldPath, base: readonly unknown[], changes: JsonRecord): readonly unknown[] {
  const list = [...base];
  const elements = Object.entries(changes).map(
    ([key, change]) => [Number(ELEMENT.exec(key)?.[1]), change] as const,
  );
  for (const [index, change] of elements.sort(([a], [b]) => a - b)) {
    if (index > list.length) {
      throw new ElementError(
        [...path, index],
        `expected an element from ${elementKey(0)} to ${elementKey(list.length)}, where the last is one more than there are.`,
      );
    }
    list[index] = mergeAt([...path, index], list[index], change);
  }
  return list;
}
