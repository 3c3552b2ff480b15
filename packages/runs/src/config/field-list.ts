/** The fields of a configuration in words: each with what it may be, of which kinds it is, and what it says. */
import { z } from 'zod';
import { formsOf, isRecorded, type AnySchema } from './fields.js';

/** A field, described. */
export interface DescribedField {
  /** Such as `network.width`. */
  readonly path: string;
  /** What it may be, such as `whole number` or `constant | cosine | linear`. */
  readonly type: string;
  /** The kinds of what it belongs to that have it; undefined where all have it. */
  readonly kinds: readonly string[] | undefined;
  /** What it is where it is not said, as JSON; undefined where that is no constant. */
  readonly byDefault: string | undefined;
  /** What it says; of several kinds that say it in other words, each with its kinds. */
  readonly descriptions: readonly { readonly text: string; readonly kinds: readonly string[] }[];
}

/**
 * The fields, each before those within it.
 *
 * @param within the path of a field, to have those within it alone
 */
export function describeFields(schema: AnySchema, within = ''): readonly DescribedField[] {
  const all = walk('', [schema]);
  return within === '' ? all : all.filter(({ path }) => path === within || path.startsWith(`${within}.`));
}

/** A form of an object. */
interface ObjectForm {
  readonly shape: z.core.$ZodShape;
  /** Of an object that is one of several kinds. */
  readonly kinds: readonly string[];
}

function walk(path: string, schemas: readonly AnySchema[]): DescribedField[] {
  const objects = (schemas.flatMap(formsOf) as z.core.$ZodTypes[]).flatMap(
    ({ _zod: { def } }): ObjectForm[] => {
      if (def.type !== 'object') return [];
      const { kind } = def.shape;
      return [{ shape: def.shape, kinds: kind === undefined ? [] : typesOf(kind) }];
    },
  );
  const names = distinct(objects.flatMap(({ shape }) => Object.keys(shape)));
  const all = distinct(objects.flatMap(({ kinds }) => kinds));
  return names.flatMap((name) => {
    const found = objects.flatMap(({ shape: { [name]: field }, kinds }) =>
      field === undefined || isRecorded(field) ? [] : [{ field, kinds }],
    );
    if (found.length === 0) return [];
    const inner = path === '' ? name : `${path}.${name}`;
    const kinds = distinct(found.flatMap((each) => each.kinds));
    return [
      described(inner, found, kinds.length === all.length ? undefined : kinds),
      ...walk(
        inner,
        found.map(({ field }) => field),
      ),
    ];
  });
}

function described(
  path: string,
  found: readonly { readonly field: AnySchema; readonly kinds: readonly string[] }[],
  kinds: readonly string[] | undefined,
): DescribedField {
  const facts = found.map(({ field, kinds: of }) => {
    const said = z.globalRegistry.get(field);
    return { description: said?.description, byDefault: JSON.stringify(said?.default), of };
  });
  const texts = distinct(facts.flatMap(({ description }) => description ?? []));
  const defaults = distinct(facts.map((each) => each.byDefault));
  return {
    path,
    type: distinct(found.flatMap(({ field }) => typesOf(field))).join(' | '),
    kinds,
    byDefault: defaults.length === 1 ? defaults[0] : undefined,
    descriptions: texts.map((text) => ({
      text,
      kinds: distinct(facts.flatMap(({ description, of }) => (description === text ? of : []))),
    })),
  };
}

function typesOf(schema: AnySchema): readonly string[] {
  return distinct(typeNames(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })));
}

type Json = z.core.JSONSchema.BaseSchema;

function typeNames(schema: boolean | Json): readonly string[] {
  if (typeof schema === 'boolean') return ['anything'];
  const { type, enum: values, const: value, anyOf, oneOf, items } = schema;
  if (value !== undefined) return [String(value)];
  if (values !== undefined) return values.map(String);
  const forms = anyOf ?? oneOf;
  if (forms !== undefined) return forms.flatMap(typeNames);
  if (type === undefined) return ['anything'];
  if (type !== 'array') return distinct([type].flat().map((name) => types[name] ?? 'anything'));
  const elements = items === undefined || Array.isArray(items) ? [] : distinct(typeNames(items));
  return [elements.length === 0 ? 'list' : `list of ${elements.join(' | ')}`];
}

const types: Readonly<Record<string, string>> = {
  integer: 'whole number',
  number: 'number',
  string: 'text',
  boolean: 'true | false',
  object: 'object',
  null: 'null',
};

function distinct<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)];
}
