/** The tables of options: every option sets a field that there is, and nothing that it was not given for. */
import { askedRunSchema, comparisonConfigSchema } from '@meanflow/runs/command';
import { problemAt } from '@meanflow/core/validation';
import { z } from 'zod';
import {
  backendOption,
  type ConfigOption,
  keysOf,
  layerOf,
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

it('says which option set a field', () => {
  const options = [
    option('--task <name>', 'task', 'of images'),
    option('--no-head', 'network.head', 'without'),
  ];
  const { record, source } = layerOf(options, { task: { kind: 'a' }, head: false }, [
    { source: '--set list[0]', keys: ['list', '[0]'], value: 3 },
  ]);
  expect(record).toEqual({ task: { kind: 'a' }, network: { head: false }, list: { '[0]': 3 } });
  const partOf = (...path: (string | number)[]) => problemAt(source, path, '').split(': ')[0];
  expect(partOf('task')).toBe('--task');
  expect(partOf('task', 'kind')).toBe('--task');
  expect(partOf('network', 'head')).toBe('--no-head');
  expect(partOf('list', 0)).toBe('--set list[0]');
  expect(partOf('network', 'width')).toBe('The options');
});

it.each([
  [['network', 'width'], 'Give --width or --set network.width, not both.'],
  [['network'], 'Give --width or --set network, not both.'],
  [['network', 'width', 'more'], 'Give --width or --set network.width.more, not both.'],
])('refuses an option and --set of %j', (keys, message) => {
  const options = [option('--width <n>', 'network.width', 'of a layer')];
  const set = { source: `--set ${keys.join('.')}`, keys, value: {} };
  expect(() => layerOf(options, { width: 3 }, [set])).toThrow(message);
  expect(() => layerOf(options, {}, [set, { ...set, value: 4 }])).toThrow(`${set.source} is given twice.`);
});

it('refuses two options that set the same field', () => {
  const seeds = [option('--seeds <list>', 'seeds', 'several'), option('--seed <n>', 'seeds', 'one')];
  expect(() => settingsOf(seeds, { seeds: [1, 2], seed: [3] })).toThrow('Give --seeds or --seed, not both.');
});
