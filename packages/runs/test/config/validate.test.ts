import { objectives } from '@meanflow/models';
import { ArgumentError } from '@meanflow/core';
import { validate } from '@meanflow/core/validation';
import { datasets } from '@meanflow/data';
import { openDataset } from '@meanflow/data/node';
import { merge, settled, type JsonRecord } from '../../src/config/merge.js';
import { recipeSchema, runConfigSchema } from '../../src/config/schema.js';
import { resolveRun } from '../../src/experiment/resolve.js';
import { recipeFor } from '../../src/recipes/index.js';

const resolve = (record: JsonRecord) => resolveRun([{ record, source: 'config.json' }]);
const { config } = await resolve({});

/** The problem with a change to a right configuration. */
function problem(change: Parameters<typeof merge>[1]): string {
  try {
    validate(runConfigSchema(), merge(config, change), 'config.json');
  } catch (error) {
    if (error instanceof ArgumentError) return error.message;
    throw error;
  }
  return 'none';
}

it('accepts what it made', () => {
  expect(problem({})).toBe('none');
});

it.each([
  [
    { stesp: 5 },
    'config.json: there is no field "stesp". Did you mean "steps"? Known are data, label, table',
  ],
  [
    { network: { widht: 8 } },
    'config.json: network: there is no field "widht". Did you mean "width"? Known are kind, width',
  ],
  [
    { network: { kind: 'mpl' } },
    'config.json: network.kind: expected one of mlp, residual-mlp, dit, unet, imf-dit, pmf-dit, song-unet, got "mpl". Did you mean "mlp"?',
  ],
  [{ network: 5 }, 'config.json: network: expected an object, got 5.'],
  [{ steps: -5 }, 'config.json: steps: expected more than 0, got -5.'],
  [{ steps: 1.5 }, 'config.json: steps: expected a whole number, got 1.5.'],
  [{ steps: '100' }, 'config.json: steps: expected a number, got "100".'],
  [{ method: 'meanflwo' }, 'got "meanflwo". Did you mean "meanflow"?'],
  [{ ema: { decays: [0.9, 1] } }, 'config.json: ema.decays[1]: expected less than 1, got 1.'],
  [{ ema: { decays: [] } }, 'config.json: ema.decays: expected at least 1 of them, got a list.'],
  [{ conditional: 'yes' }, 'config.json: conditional: expected true or false, got "yes".'],
  [{ sampling: { nfe: 4 } }, 'config.json: sampling.nfe: expected a list, got 4.'],
  [{ data: '' }, 'config.json: data: expected some text, got nothing.'],
  [
    { network: { embedding: { frequences: 3 } } },
    'network.embedding: there is no field "frequences". Did you mean "frequencies"?',
  ],
])('%j is refused by field', (change, message) => {
  expect(problem(change)).toContain(message);
});

it('lists several problems, and no more than a screen holds', () => {
  const many = problem({ steps: 0, batch: 0, seed: -1, logEvery: 0, checkpointEvery: 0, splitSeed: -1 });
  expect(many.split('\n')).toHaveLength(7);
  expect(many).toContain('and 1 more.');
});

describe('merging', () => {
  it('goes key by key, replaces lists, and leaves both as they were', () => {
    const base = { a: { b: 1, c: [1, 2] }, d: 4 };
    expect(merge(base, { a: { c: [3] }, d: undefined, e: 5 })).toEqual({ a: { b: 1, c: [3] }, d: 4, e: 5 });
    expect(base).toEqual({ a: { b: 1, c: [1, 2] }, d: 4 });
  });

  it('replaces an object by one of another kind', () => {
    expect(merge({ kind: 'a', x: 1 }, { kind: 'b', y: 2 })).toEqual({ kind: 'b', y: 2 });
    expect(merge({ kind: 'a', x: 1 }, { kind: 'a', y: 2 })).toEqual({ kind: 'a', x: 1, y: 2 });
  });

  it('changes elements of a list that are named, or adds one', () => {
    const base = { list: [1, { a: 1, b: 2 }] };
    const changed = merge(base, { list: { '[1]': { b: 3 }, '[2]': 4 } });
    expect(changed).toEqual({ list: [1, { a: 1, b: 3 }, 4] });
    expect(base.list).toHaveLength(2);
    expect(() => merge(base, { list: { '[3]': 0 } })).toThrow('list[3]: expected an element from [0] to [2]');
    // Of which list, is known later, or never.
    const before = merge({}, { list: { '[1]': 5 } });
    expect(merge(base, before)).toEqual({ list: [1, 5] });
    expect(settled(merge({}, { a: { list: { '[0]': 5 } } }))).toEqual({ a: { list: [5] } });
    expect(settled(before)).toEqual(before);
  });

  it('cannot be used to change what all objects inherit', () => {
    merge({}, JSON.parse('{"__proto__": {"polluted": 1}}'));
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe('recipes', () => {
  it.each(datasets.names)('the one of %s is right for every method', async (name) => {
    const recipe = recipeFor(name, await openDataset(name));
    expect(() => validate(recipeSchema(), recipe, name)).not.toThrow();
    for (const method of objectives.names) {
      const run = await resolve({ data: name, method });
      expect([run.config.method, run.config.objective.kind]).toEqual([method, method]);
      expect(run.config.steps).toBe(recipe.steps);
    }
  });

  it('are those of names, and not of files and folders that happen to be called so', async () => {
    const digits = await openDataset('digits');
    const images = { ...digits, featureShape: [8, 8, 1] };
    expect(recipeFor('digits', digits).network.kind).toBe('residual-mlp');
    for (const path of ['./digits', '/data/digits', 'digits.npz'])
      expect(recipeFor(path, images)).toEqual(recipeFor('photos', images));
  });
});

describe('a run whose parts do not fit', () => {
  it.each([
    [{ sampling: { ema: 0.5 } }, 'sampling.ema: expected a decay or half-life of ema'],
    [{ objective: { kind: 'flow-matching' } }, 'objective.kind: expected "meanflow"'],
    [{ evaluation: { metrics: ['mmd'] } }, 'There is no metric "mmd". Did you mean "mmd2"?'],
    [{ backend: 'ort:cpuu' }, 'There is no backend "ort:cpuu". Did you mean "ort:cpu"?'],
    [{ backend: 'tfjs:webgup' }, 'There is no backend "tfjs:webgup". Did you mean "tfjs:webgpu"?'],
    [{ sampling: { solver: 'heun', nfe: [3] } }, 'NFE must be a multiple of 2; got 3'],
    [{ sampling: { solver: 'dormand-prince' } }, 'chooses its steps by itself'],
  ])('%j', async (change, message) => {
    await expect(resolve(change)).rejects.toThrow(message);
  });

  it('needs classes to be conditional', async () => {
    const dataset = { data: new URL('../../../cli/test/data/points.csv', import.meta.url).pathname };
    await expect(resolve({ ...dataset, conditional: true })).rejects.toThrow(ArgumentError);
    await expect(resolve({ ...dataset, conditional: true })).rejects.toThrow('has no classes');
  });
});

describe('steps per run', () => {
  it('of a record are passed over', () => {
    expect(problem({ stepsPerRun: 8 })).toBe('none');
  });

  it('that are asked for are gone', async () => {
    await expect(resolve({ stepsPerRun: 8 })).rejects.toThrow(
      'config.json: stepsPerRun: it is gone, every update is a run of the device: leave it out',
    );
  });
});
