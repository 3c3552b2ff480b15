/**
 * Changes laid over a configuration: objects key by key, everything else as a whole. Where the change names another `kind`, the
 * object is replaced, because the fields of one kind mean nothing to another.
 */

/** A JSON object of unknown content. */
export type JsonRecord = { readonly [key: string]: unknown };

/** Whether a value is an object in JSON's sense. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `changes` over `base`; `undefined` changes nothing. Neither is modified, and nothing is checked. */
export function merge(base: unknown, changes: unknown): unknown {
  if (changes === undefined) return base;
  if (!isRecord(base) || !isRecord(changes)) return changes;
  if (changes.kind !== undefined && changes.kind !== base.kind) return changes;
  const merged = new Map(Object.entries(base));
  for (const [key, change] of Object.entries(changes)) merged.set(key, merge(merged.get(key), change));
  return Object.fromEntries(merged);
}
