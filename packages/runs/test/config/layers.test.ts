/** Layers of settings: what lies over what, what stands for other fields, and which of them an error is told of. */
import { problemAt } from '@meanflow/core/validation';
import { layersOf, overlaid } from '../../src/config/layers.js';
import type { RunSettings } from '../../src/config/schema.js';
import { expanded } from '../../src/config/shorthands.js';
import { mergeRuns } from '../../src/experiment/lengths.js';
import { resolveRun } from '../../src/experiment/resolve.js';

const layer = (source: string, record: object) => ({ source, record: { ...record } });

describe('layers', () => {
  const { record, source } = overlaid([
    layer('recipe', { steps: 1, network: { kind: 'a', width: 1 }, nfe: [1, 2] }),
    layer('file', { network: { width: 2 } }),
    layer('options', { network: { kind: 'b', depth: 3 }, nfe: { '[1]': 4 } }),
  ]);

  it('come to one record', () => {
    expect(record).toEqual({ steps: 1, network: { kind: 'b', depth: 3 }, nfe: [1, 4] });
  });

  it.each<[(string | number)[], string]>([
    [['steps'], 'recipe'],
    [['network', 'depth'], 'options'],
    // Whoever says the kind is whom it is missed of.
    [['network', 'width'], 'options'],
    [['nfe', 0], 'recipe'],
    [['nfe', 1], 'options'],
    [['nfe', 5], 'options'],
    [[], 'options'],
  ])('%j is from %s', (path, from) => {
    expect(problemAt(source, path, '').split(':')[0]).toBe(from);
  });

  it('are one where settings are from one place', () => {
    expect(layersOf({ steps: 3 }, 'code')).toEqual([{ record: { steps: 3 }, source: 'code' }]);
    const layers = [layer('a', {})];
    expect(layersOf(layers, 'code')).toBe(layers);
  });
});

describe('shorthands', () => {
  it.each([
    ['mlp', { network: { width: 3, depth: 2 } }],
    ['song-unet', { network: { channels: 3, blocks: 2 } }],
    // The schema says that there is no such field.
    ['unknown', { network: { width: 3, depth: 2 } }],
  ])('sizes are the fields that %s has for them', (kind, fields) => {
    expect(expanded(layer('code', { width: 3, depth: 2 }), kind).record).toMatchObject(fields);
  });

  it.each<[unknown, object]>([
    [0.9, { ema: { decays: [0.9] }, sampling: { ema: 0.9 } }],
    [3000, { ema: { halfLives: [3000] }, sampling: { ema: 3000 } }],
    [[3000, 0.9, 0.5], { ema: { decays: [0.9, 0.5], halfLives: [3000] }, sampling: { ema: 3000 } }],
    [['none', 0.9], { ema: { decays: [0.9] }, sampling: { ema: null } }],
    ['none', { sampling: { ema: null } }],
  ])('average %j', (average, fields) => {
    const { record } = expanded(layer('code', { average }), 'mlp');
    expect(record).toEqual({ average, ...fields });
    const recipe = {
      ema: { decays: [0.99], halfLives: [7], rampUp: true },
      sampling: { ema: 0.99, nfe: [1] },
    };
    const merged = mergeRuns(recipe, record);
    const kept = 'ema' in fields ? fields.ema : { decays: [0.99], halfLives: [7] };
    expect(merged.ema).toEqual({ ...(kept as object), rampUp: true });
  });

  it('and what they stand for are not said together', () => {
    const both = layer('code', { width: 3, network: { width: 3 } });
    expect(() => expanded(both, 'mlp')).toThrow(
      'code: width: it stands for network.width, which is given too',
    );
  });
});

describe('a run of layers', () => {
  it('takes sizes, averages and passes by code', async () => {
    const settings: RunSettings = { data: 'digits', width: 16, depth: 1, average: [0.9, 0.5], epochs: 2 };
    const { config } = await resolveRun(layersOf(settings, 'The settings'));
    expect(config).toMatchObject({
      steps: 10,
      network: { kind: 'residual-mlp', width: 16, depth: 1 },
      ema: { decays: [0.9, 0.5], rampUp: true },
      sampling: { ema: 0.9 },
    });
  });

  it('is the same from one layer and from several', async () => {
    const whole = await resolveRun([layer('a', { data: 'digits', steps: 5, network: { width: 8, depth: 2 } })]);
    const parts = await resolveRun([layer('a', { data: 'digits', steps: 7, network: { depth: 2 } }), layer('b', { steps: 5, width: 8 })]);
    expect(parts.config).toEqual(whole.config);
    expect(JSON.stringify(parts.config)).toBe(JSON.stringify(whole.config));
  }); // prettier-ignore

  it.each([
    [{ steps: 0 }, { width: 8 }, /^file: steps: expected more than 0/],
    [{ steps: 5 }, { width: -8 }, /^options: width: expected more than 0/],
    [{ network: { kind: 'dit' } }, {}, /^file:\n {2}network.patchSize: expected a number, got nothing/],
    [{}, { method: 'flow-matching', objective: { kind: 'meanflow' } }, /^options: objective.kind: expected "flow-matching"/],
    [{ ema: { decays: [0.5] } }, {}, /sampling.ema: expected a decay or half-life of ema \(0.5\) or null, got 0.99; average/],
    [{}, { network: { heads: 3 } }, /^options: network: there is no field "heads"/],
  ])('%j and %j are told of by their place', async (file, options, message) => {
    await expect(resolveRun([layer('file', file), layer('options', options)])).rejects.toThrow(message);
  }); // prettier-ignore
});
