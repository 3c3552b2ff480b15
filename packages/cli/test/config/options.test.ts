/** The tables of options: every option sets a field that there is, and nothing that it was not given for. */
import { askedRunSchema, comparisonConfigSchema } from '@meanflow/runs/command';
import { z } from 'zod';
import {
  backendOption,
  type ConfigOption,
  keysOf,
  option,
  settingsOf,
} from '../../src/commands/config-options.js';
import { dataOptions, labelOption, taskOptions } from '../../src/commands/data-options.js';
import { changeOptions, comparisonOptions } from '../../src/commands/compare.js';
import { trainOptions } from '../../src/commands/train.js';

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/** Whether a value of the schema may have the field, in one of its forms at least. */
function hasField(schema: JsonSchema, [key, ...deeper]: readonly string[]): boolean {
  if (key === undefined) return true;
  const forms = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  const field = schema.properties?.[key];
  return (
    (field !== undefined && hasField(field, deeper)) || forms.some((form) => hasField(form, [key, ...deeper]))
  );
}

const asJson = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;

it.each<[string, JsonSchema, readonly ConfigOption[]]>([
  ['train', asJson(askedRunSchema()), trainOptions],
  [
    'compare',
    asJson(comparisonConfigSchema()),
    [...comparisonOptions, labelOption, ...taskOptions, ...dataOptions, backendOption],
  ],
  ['the runs of compare', asJson(askedRunSchema()), changeOptions],
])('%s: every field of an option is one of the schema', (_, schema, options) => {
  expect(hasField(schema, ['optimizer', 'lerningRate'])).toBe(false);
  const missing = options.filter(({ field }) => field !== undefined && !hasField(schema, field.split('.')));
  expect(missing).toEqual([]);
});

it('sets what was given, at its place, and nothing else', () => {
  const options = [
    option('--width <n>', 'network.width', 'of a layer'),
    option('--depth <n>', 'network.depth', 'how many layers'),
    option('--plain', 'network.gated', 'without gates', { value: () => false }),
    option('--average <name>', 'sampling.ema', 'or none', {
      value: (name) => (name === 'none' ? null : name),
    }),
    option('--out <folder>', undefined, 'where to'),
  ];
  expect(keysOf(options)).toEqual(['width', 'depth', 'plain', 'average', 'out']);
  expect(settingsOf(options, { width: 3, plain: true, average: 'none', out: 'x', depth: undefined })).toEqual(
    {
      network: { width: 3, gated: false },
      sampling: { ema: null },
    },
  );
});

it('refuses two options that set the same field', () => {
  const seeds = [option('--seeds <list>', 'seeds', 'several'), option('--seed <n>', 'seeds', 'one')];
  expect(() => settingsOf(seeds, { seeds: [1, 2], seed: [3] })).toThrow('Give --seeds or --seed, not both.');
});
