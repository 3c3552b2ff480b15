/** The schema of a configuration of any kind that a registry has: one of many objects, told apart by `kind`. */
import { ArgumentError } from '@meanflow/core';
import * as z from 'zod';

/** A part of a whole. */
export const share = z.number().min(0).max(1);

/** What says which of them it is. */
export const kindSchema = z.looseObject({ kind: z.string() });

/**
 * A configuration of one of several kinds. What is not said stays unsaid, so that a record of it is what was asked for.
 *
 * @param schemas objects with a `kind`, of which there is at least one
 */
export function settingsSchema(schemas: readonly z.ZodObject[]) {
  const [first, ...others] = schemas.map(asGiven);
  if (first === undefined) throw new ArgumentError('Nothing of this kind is registered.');
  return z.discriminatedUnion('kind', [first, ...others]).transform((given) => kindSchema.parse(given));
}

/** Without defaults. */
function asGiven({ shape: { kind, ...fields } }: z.ZodObject) {
  const unfilled = Object.entries(fields).map(([name, field]) => [
    name,
    field instanceof z.ZodDefault ? z.optional(field.unwrap()) : field,
  ]);
  return z.strictObject({ kind, ...Object.fromEntries(unfilled) });
}
