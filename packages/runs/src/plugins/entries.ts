/**
 * What the entries of a plug-in must be, as schemas: they come from somebody else's file, which nothing else checks. What a name may
 * hold follows from where names go: lists with commas between them, folders, style sheets.
 */
import { z } from 'zod';

/** What a plug-in may bring, by the fields of a plug-in. */
export const pluginKinds = ['networks', 'objectives', 'datasets', 'metrics', 'solvers', 'backends'] as const;
export type PluginKind = (typeof pluginKinds)[number];

const LONGEST_NAME = 64;

const nameOf = (pattern: RegExp, expected: string) =>
  z.string().max(LONGEST_NAME).regex(pattern, `expected ${expected}, a letter or digit first.`);
const word = nameOf(/^[a-z\d][\w-]*$/i, 'a name of letters, digits, "-" and "_"');
const plain = nameOf(/^[a-z\d][\w.-]*$/i, 'a name of letters, digits, "-", "_" and "."');
const withColon = nameOf(/^[a-z\d][\w.:-]*$/i, 'a name of letters, digits, "-", "_", "." and ":"');

const text = z.string().min(1);
const method = z.custom((value) => typeof value === 'function', 'expected a function.');
const colour = z.string().regex(/^#[\da-f]{6}$/i, 'expected a colour as #rrggbb.');

/** A schema of Zod 4: an object that `kind` tells from others. */
const settings = z.custom(
  isObjectSchema,
  'expected an object of Zod 4, z.object({ kind: z.literal(…), … }).',
);

function isObjectSchema(value: unknown): value is z.ZodObject {
  if (typeof value !== 'object' || value === null || !('_zod' in value)) return false;
  const { shape } = value as Partial<z.ZodObject>;
  return typeof shape === 'object' && shape !== null && '_zod' in Object(shape.kind);
}

/** The kind that a configuration names is the entry's name, and no other. */
const ofItsKind =
  (field: string) =>
  (entry: Readonly<Record<string, unknown>>): boolean => {
    const schema = entry[field];
    const { kind } = isObjectSchema(schema) ? schema.shape : {};
    return kind === undefined || (accepts(kind, entry.name) && !accepts(kind, `not ${String(entry.name)}`));
  };

function accepts(schema: z.core.$ZodType, value: unknown): boolean {
  return z.safeParse(schema, value).success;
}

const kindMessage = 'expected a kind that is z.literal of the name of the entry.';

/** The schema of an entry, by its kind. */
const entrySchemas = {
  networks: z
    .looseObject({
      name: plain,
      settings,
      layout: z.enum(['nhwc', 'nchw']),
      isFlat: z.boolean(),
      takesClasses: z.boolean(),
      facts: method,
      create: method,
    })
    .refine(ofItsKind('settings'), { error: kindMessage, path: ['settings', 'kind'] }),
  objectives: z
    .looseObject({
      name: word,
      title: text,
      description: text,
      learns: text,
      source: text,
      colours: z.strictObject({ light: colour, dark: colour }),
      schema: settings,
      solver: z.enum(['average-velocity', 'euler']),
      create: method,
      inRecipe: method,
      isClassifierFree: method,
      optionalConditions: method,
    })
    .refine(ofItsKind('schema'), { error: kindMessage, path: ['schema', 'kind'] }),
  datasets: z.looseObject({ name: plain, description: text, open: method }),
  metrics: z.looseObject({
    name: plain,
    title: text,
    unit: z.string(),
    better: z.enum(['lower', 'higher', 'one']),
    description: text,
    reads: z.array(text),
    appliesTo: method,
    evaluate: method,
  }),
  solvers: z.discriminatedUnion('kind', [
    z.looseObject({
      kind: z.literal('fixed'),
      name: plain,
      step: method,
      evaluationsPerStep: z.int().min(1),
    }),
    z.looseObject({ kind: z.literal('adaptive'), name: plain, attempt: method }),
  ]),
  backends: z.looseObject({
    name: withColon,
    description: text.optional(),
    isOptional: z.boolean().optional(),
    open: method,
  }),
} as const satisfies Record<PluginKind, z.ZodType>;

/** A plug-in: lists of entries. */
export const pluginSchema = z.strictObject({
  name: z.string().min(1).max(LONGEST_NAME).optional(),
  networks: z.array(entrySchemas.networks).optional(),
  objectives: z.array(entrySchemas.objectives).optional(),
  datasets: z.array(entrySchemas.datasets).optional(),
  metrics: z.array(entrySchemas.metrics).optional(),
  solvers: z.array(entrySchemas.solvers).optional(),
  backends: z.array(entrySchemas.backends).optional(),
});
