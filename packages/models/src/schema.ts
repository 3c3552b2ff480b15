/**
 * The configurations of a kind, of which a registry has many: objects that are told apart by `kind`. Who registers one says by a
 * schema which fields it has: an object of Zod, or a schema of any library that follows Standard Schema; without one, whatever
 * is plain JSON is right.
 */
import { ArgumentError } from '@meanflow/core';
import { validate } from '@meanflow/core/validation';
import * as z from 'zod';

/** A part of a whole. */
export const share = z.number().min(0).max(1);

/** What says which of them it is. */
export const kindSchema = z.looseObject({ kind: z.string() });

interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}
type StandardResult =
  { readonly value: unknown; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };

/** What Zod, Valibot, ArkType and others have in common: https://standardschema.dev */
export interface StandardSchema {
  readonly '~standard': {
    readonly validate: (value: unknown) => StandardResult | Promise<StandardResult>;
  };
}

/** The fields of a configuration beside its kind, and, of a network, beside what the data decide. */
export type SettingsSchema = z.ZodObject | StandardSchema;

/** The settings of one kind. */
export interface KindSettings {
  /** Of settings as they are asked for: checked, and without defaults, so that a record of them is what was asked for. */
  readonly asked: z.ZodObject;
  /** The settings with their defaults. @throws {ArgumentError} naming the fields that are wrong */
  complete(settings: object): { readonly [field: string]: unknown };
}

/**
 * @param name the kind
 * @throws {ArgumentError} when the schema is none
 */
export function kindSettings(name: string, schema: SettingsSchema | undefined): KindSettings {
  const kind = z.literal(name);
  if (schema === undefined)
    return { asked: z.looseObject({ kind }), complete: (settings) => ({ ...settings }) };
  if (schema instanceof z.ZodObject) {
    const whole = 'kind' in schema.shape ? schema : schema.extend({ kind });
    if (
      !z.safeParse(whole.shape.kind, name).success ||
      z.safeParse(whole.shape.kind, `not ${name}`).success
    ) {
      throw new ArgumentError(
        `${name}: the kind of its settings, where they have one, is z.literal of its name.`,
      );
    }
    return { asked: unfilled(whole), complete: (settings) => validate(whole, settings, name) };
  }
  if (typeof schema['~standard']?.validate !== 'function') {
    throw new ArgumentError(
      `${name}: settings are a schema: an object of Zod, or of any library that follows Standard Schema.`,
    );
  }
  const found = (settings: object): StandardResult => {
    const fields = Object.fromEntries(Object.entries(settings).filter(([field]) => field !== 'kind'));
    const result = schema['~standard'].validate(fields);
    if (result instanceof Promise)
      throw new ArgumentError(`${name}: its schema checks settings later, expected at once.`);
    return result;
  };
  const asked = z.looseObject({ kind }).check(({ value, issues }) => {
    for (const { message, path = [] } of found(value).issues ?? []) {
      const keys = path.map((key) => (typeof key === 'object' ? key.key : key));
      issues.push({ code: 'custom', input: value, message, path: keys });
    }
  });
  return {
    asked,
    complete: (settings) => {
      const result = found(validate(asked, settings, name));
      return { kind: name, ...('value' in result ? (result.value as object) : {}) };
    },
  };
}

/**
 * The schema of a configuration of any of several kinds, as it is asked for.
 *
 * @param kinds of which there is at least one
 */
export function settingsSchema(kinds: readonly KindSettings[]) {
  const [first, ...others] = kinds.map(({ asked }) => asked);
  if (first === undefined) throw new ArgumentError('Nothing of this kind is registered.');
  return z.discriminatedUnion('kind', [first, ...others]).transform((given) => kindSchema.parse(given));
}

/** Without defaults, which are said in the metadata of the fields; with other fields only where the schema takes them expressly. */
function unfilled({ shape, def: { catchall = z.never() } }: z.ZodObject) {
  const fields = Object.entries(shape).map(([name, field]) => [
    name,
    field instanceof z.ZodDefault
      ? z.optional(field.unwrap()).meta({ ...field.meta(), default: field.def.defaultValue })
      : field,
  ]);
  return z.object(Object.fromEntries(fields)).catchall(catchall);
}
