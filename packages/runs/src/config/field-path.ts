/** The place of a field in a configuration, in words. */
import { printable } from '@meanflow/core';

/** Keys of objects and numbers of elements that lead to a field. */
export type FieldPath = readonly (string | number)[];

/** How many keys, and how many characters of one, are shown. */
const DEEPEST = 12;
const LONGEST = 60;

/** `network.embedding.kind: `, with `[2]` for elements of a list; empty at the top. */
export function fieldPath(path: FieldPath): string {
  const text = path
    .slice(0, DEEPEST)
    .map((key, i) =>
      typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${printable(key, LONGEST)}`,
    )
    .join('');
  const more = path.length > DEEPEST ? ' …' : '';
  return text === '' ? '' : `${text}${more}: `;
}
