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

const text = z
  .string()
  .min(1)
  .regex(/^[\P{Cc}\n\t]*$/u, 'expected text without control characters.');
const method = z.custom((value) => typeof value === 'function', 'expected a function.');

/** The schema of an entry, by its kind. */
const entrySchemas = {
  networks: z.looseObject({ name: plain }),
  objectives: z.looseObject({ name: word }),
  datasets: z.looseObject({ name: plain }),
  metrics: z.looseObject({ name: plain }),
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
