/**
 * The fields of a configuration by their paths, out of its schema: what `--set` may name, and what documentation lists. Where an object
 * is one of several kinds, a field is that of any of them; which kind it is, and so whether the field is there, is known later.
 */
import { ArgumentError } from '@meanflow/core';
import { didYouMean, quoted, validate, type FieldPath, type Schema } from '@meanflow/core/validation';
import { z } from 'zod';
import { isRecord } from './merge.js';

export type AnySchema = z.core.$ZodType;

/** What a run records of itself, in the `meta` of its schema: nothing that anyone asks for. */
export const RECORDED = { recorded: true } as const;

/** The forms that a value may have, without what says that it may be absent. */
export function formsOf(schema: AnySchema): readonly AnySchema[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'readonly':
      return formsOf(def.innerType);
    case 'union':
      return def.options.flatMap(formsOf);
    case 'pipe':
      return formsOf(def.in);
    default:
      return [schema];
  }
}

/** The fields of a value that is an object in one of its forms at least, each with its schemas by form. */
export function fieldsOf(schemas: readonly AnySchema[]): ReadonlyMap<string, readonly AnySchema[]> {
  const fields = new Map<string, AnySchema[]>();
  for (const { _zod } of schemas.flatMap(formsOf) as z.core.$ZodTypes[]) {
    if (_zod.def.type !== 'object') continue;
    for (const [name, field] of Object.entries(_zod.def.shape)) {
      if (!isRecorded(field)) fields.set(name, [...(fields.get(name) ?? []), field]);
    }
  }
  return fields;
}

export function isRecorded(schema: AnySchema): boolean {
  return z.globalRegistry.get(schema)?.recorded === true;
}

/** What an element of a list, or a value of an object whose keys may have any name, may be. */
function elementsOf(schemas: readonly AnySchema[], key: string | number): readonly AnySchema[] {
  return (schemas.flatMap(formsOf) as z.core.$ZodTypes[]).flatMap(({ _zod: { def } }) => {
    if (def.type === 'record') return typeof key === 'string' ? [def.valueType] : [];
    // Of a plug-in that says nothing of its fields, or says it in a way that is not looked into.
    if (def.type === 'object') return typeof key === 'string' && def.catchall ? [def.catchall] : [];
    if (typeof key === 'string') return [];
    if (def.type === 'array') return [def.element];
    return def.type === 'tuple' ? (def.items[key] ?? []) : [];
  });
}

/** A field that there is. */
export interface FoundField {
  /** With numbers for elements of lists. */
  readonly path: FieldPath;
  /** What it may be, by kind of what it belongs to. */
  readonly schemas: readonly AnySchema[];
}

/** Whether any value is right: of a strict object, none is in a field that it does not have. */
function isPossible(schema: AnySchema): boolean {
  return (schema as z.core.$ZodTypes)._zod.def.type !== 'never';
}

/** Names that no object may have as a key of its own. */
const INHERITED = ['__proto__', 'constructor', 'prototype'];

/**
 * The field at a path.
 *
 * @param keys names of fields, and numbers of elements
 * @param source what named it, for messages
 * @throws {ArgumentError} when there is none, with the one that was probably meant
 */
export function fieldAt(schema: AnySchema, keys: readonly string[], source: string): FoundField {
  let found: FoundField = { path: [], schemas: [schema] };
  for (const key of keys) found = within(found, key, source);
  return found;
}

function within({ path, schemas }: FoundField, key: string, source: string): FoundField {
  const fields = fieldsOf(schemas);
  const field = fields.get(key);
  if (field !== undefined) return { path: [...path, key], schemas: field };
  const index = /^\d+$/.test(key) ? Number(key) : undefined;
  const elements = index === undefined ? [] : elementsOf(schemas, index);
  if (index !== undefined && elements.length > 0) return { path: [...path, index], schemas: elements };
  const values = INHERITED.includes(key) ? [] : elementsOf(schemas, key).filter(isPossible);
  if (values.length > 0) return { path: [...path, key], schemas: values };
  const known = [...fields.keys()];
  const place = path.length === 0 ? '' : `${path.join('.')}: `;
  throw new ArgumentError(
    known.length === 0
      ? `${source}: ${place}there is nothing in it, and so no ${quoted(key)}.`
      : `${source}: ${place}there is no field ${quoted(key)}.${didYouMean(key, known)} Known are ${known.join(', ')}.`,
  );
}

/**
 * A value for a field, or for some fields of it, checked by what the field may be.
 *
 * @throws {ArgumentError} when it is none
 */
export function checkField(field: FoundField, value: unknown, source: string): void {
  const fields = fieldsOf(field.schemas);
  if (isRecord(value) && fields.size > 0) {
    const { kind } = value;
    const own = field.schemas.flatMap(formsOf).filter((form) => kind === undefined || hasKind(form, kind));
    const schemas = own.length === 0 ? field.schemas : own;
    for (const [key, inner] of Object.entries(value)) {
      checkField(within({ ...field, schemas }, key, source), inner, `${source}: ${key}`);
    }
  } else if (!isAccepted(field, value)) {
    validate(expectedOf(field.schemas), value, source);
  }
}

/** Whether a field may be that, whole. */
export function isAccepted(field: FoundField, value: unknown): boolean {
  return field.schemas.some((schema) => z.safeParse(schema, value).success);
}

function hasKind(form: AnySchema, kind: unknown): boolean {
  const field = fieldsOf([form]).get('kind');
  return field === undefined || field.some((schema) => z.safeParse(schema, kind).success);
}

/** What says what was expected: the names of all kinds, or the first form. */
function expectedOf(schemas: readonly AnySchema[]): Schema<unknown> {
  const names = (schemas.flatMap(formsOf) as z.core.$ZodTypes[]).map(({ _zod: { def } }) =>
    def.type === 'literal'
      ? def.values.map(String)
      : def.type === 'enum'
        ? Object.values(def.entries).map(String)
        : undefined,
  );
  const listed = names.every((each) => each !== undefined) ? z.enum([...new Set(names.flat())]) : undefined;
  const first = listed ?? schemas[0] ?? z.never();
  return { safeParse: (value, options) => z.safeParse(first, value, options) };
}
