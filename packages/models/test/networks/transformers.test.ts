/** The transformers in every form: shapes, conditions, initial values, training by every objective, and errors. */
import {
  hostArray,
  RandomKey,
  sizeOf,
  treeLeaves,
  treePaths,
  type HostArray,
  type Tensor,
} from '@meanflow/core';
import {
  createNetwork,
  createObjective,
  networkPreset,
  networkPresets,
  type DitConfig,
  type ImfDitConfig,
  type NetworkConfig,
  type ObjectiveConfig,
  type PmfDitConfig,
} from '../../src/index.js';
import { differentiate, evaluate } from '../helpers.js';

const key = RandomKey.fromSeed(9);

const dit: DitConfig = { kind: 'dit', featureShape: [4, 4, 3], patchSize: 2, width: 8, depth: 2, heads: 2 };
const imf: ImfDitConfig = { ...dit, kind: 'imf-dit', depth: 3, headDepth: 1, tokens: { label: 2, omega: 1, interval: 1, time: 2 } }; // prettier-ignore
const pmf: PmfDitConfig = { ...imf, kind: 'pmf-dit', bottleneck: 5 };

const forms: [string, NetworkConfig][] = [
  ['DiT', dit],
  ['DiT with classes', { ...dit, classCount: 5 }],
  ['DiT on a rectangle, of t and r', { ...dit, featureShape: [4, 6, 2], times: 't-and-r' }],
  ['DiT with everything', { ...dit, classCount: 5, guidance: true, times: 'h', velocityHead: { depth: 1 }, mlpRatio: 1.5 }],
  ['iMF-DiT for training', { ...imf, classCount: 5, velocityHead: { depth: 1 } }],
  ['iMF-DiT as published for sampling', { ...imf, classCount: 5, velocityHead: { depth: 0 } }],
  ['iMF-DiT without classes and guidance', { ...imf, guidance: false }],
  ['pMF-DiT for training', { ...pmf, classCount: 5, velocityHead: { depth: 1 } }],
  ['pMF-DiT for sampling, on a rectangle', { ...pmf, featureShape: [6, 4, 3], classCount: 5, noiseScale: 2 }],
]; // prettier-ignore

/** Parameters none of which is zero, so that nothing is hidden behind a gate. */
function warm(config: NetworkConfig): ReturnType<ReturnType<typeof createNetwork>['init']> {
  const params = createNetwork(config).init(key);
  treeLeaves<HostArray>(params).forEach(({ data, shape }, i) =>
    data.set(
      key
        .fold(i)
        .normal([sizeOf(shape)])
        .data.map((x) => x / 3),
    ),
  );
  return params;
}

describe.each(forms)('%s', (_, config) => {
  const network = createNetwork(config);
  const inputs = {
    params: warm(config),
    z: key.fold('z').normal([3, ...config.featureShape]),
    t: hostArray([0.9, 0.7, 0.5]),
    h: hostArray([0.6, 0.2, 0]),
    ...(network.classCount ? { label: hostArray([0, 5, 2], { dtype: 'int32' }) } : {}),
    ...(network.takesGuidance
      ? { omega: hostArray([1, 2, 8]), tMin: hostArray([0, 0.2, 0.1]), tMax: hostArray([1, 0.9, 0.6]) }
      : {}),
  };
  const run = (change: object = {}) =>
    evaluate(
      (given) => {
        const { u, v } = network.apply(given.params as never, given as never);
        return { u, ...(v && { v }) };
      },
      { ...inputs, ...change },
    );
  const before = run();
  const rowOf = (x: HostArray, row: number) => [...x.rows(row, row + 1).data];

  test('counts its parameters without making them, and makes those that it describes', () => {
    const shapes = (tree: unknown) => treePaths<{ shape: readonly number[] }>(tree as never).map(({ path, leaf }) => [path, leaf.shape]); // prettier-ignore
    expect(shapes(network.specs)).toEqual(shapes(inputs.params));
    const sizes = treeLeaves<HostArray>(inputs.params).map(({ size }) => size);
    expect(network.parameterCount).toBe(sizes.reduce((a, b) => a + b, 0));
  });

  test('is made again from its configuration as JSON', () => {
    const again = createNetwork(JSON.parse(JSON.stringify(config)) as NetworkConfig);
    expect(again.init(key)).toEqual(network.init(key));
  });

  test('predicts velocities of the shape of z; v where it has a head', () => {
    expect(before.v !== undefined).toBe(network.hasVelocityHead);
    for (const output of Object.values(before)) {
      expect(output.shape).toEqual(inputs.z.shape);
      expect(output.data.every(Number.isFinite)).toBe(true);
      expect(output.data.some((x) => Math.abs(x) > 1e-3)).toBe(true);
    }
  });

  test('looks at all of its conditions, row by row', () => {
    const seesTime =
      config.kind === 'pmf-dit' || (config.kind === 'dit' && !('times' in config && config.times === 'h'));
    const changes: Record<string, HostArray> = {
      ...(seesTime ? { t: hostArray([0.8, 0.7, 0.5]) } : {}),
      h: hostArray([0.5, 0.2, 0]),
      ...(network.classCount ? { label: hostArray([1, 5, 2], { dtype: 'int32' }) } : {}),
      ...(network.takesGuidance
        ? { omega: hostArray([3, 2, 8]), tMin: hostArray([0.3, 0.2, 0.1]), tMax: hostArray([0.8, 0.9, 0.6]) }
        : {}),
    };
    for (const [name, value] of Object.entries(changes)) {
      const after = run({ [name]: value });
      expect({ name, same: rowOf(after.u, 0).join() === rowOf(before.u, 0).join() }).toEqual({
        name,
        same: false,
      });
      expect(rowOf(after.u, 1)).toEqual(rowOf(before.u, 1));
    }
  });

  test('has defaults for conditions that are left out', () => {
    const { params, z, t, h } = inputs;
    const plain = evaluate((given) => ({ u: network.apply(given.params as never, given as never).u }), {
      params,
      z,
      t,
      h,
    }).u;
    const stated = run({
      ...(network.classCount ? { label: hostArray([5, 5, 5], { dtype: 'int32' }) } : {}),
      ...(network.takesGuidance
        ? { omega: hostArray([1, 1, 1]), tMin: hostArray([0, 0, 0]), tMax: hostArray([1, 1, 1]) }
        : {}),
    }).u;
    expect(plain).toEqual(stated);
  });

  test('refuses labels and guidance that it does not take', () => {
    const given = (extra: object) => () => run(extra);
    if (network.classCount === undefined) {
      expect(given({ label: hostArray([0, 1, 2], { dtype: 'int32' }) })).toThrow(
        /without classes; set classCount/,
      );
    }
    if (!network.takesGuidance) expect(given({ omega: hostArray([1, 2, 3]) })).toThrow(/set guidance: true/);
  });
});

describe('initial values', () => {
  const leaves = (config: NetworkConfig) =>
    new Map(treePaths<HostArray>(createNetwork(config).init(key)).map(({ path, leaf }) => [path, leaf]));
  const deviation = ({ data, size }: HostArray) =>
    Math.sqrt([...data].reduce((sum, x) => sum + x * x, 0) / size);
  const largest = ({ data }: HostArray) => [...data].reduce((max, x) => Math.max(max, Math.abs(x)), 0);

  test('of MeanFlow: zero at the output and in the modulations, so that u is zero', () => {
    const found = leaves({ ...dit, width: 64, classCount: 40 });
    for (const path of ['blocks/0/modulation/kernel', 'blocks/1/modulation/bias', 'out/modulation/kernel', 'out/linear/kernel']) {
      expect(largest(found.get(path)!)).toBe(0);
    } // prettier-ignore
    const limit = Math.sqrt(6 / (64 + 192));
    expect(largest(found.get('blocks/0/attention/qkv/kernel')!)).toBeLessThanOrEqual(limit);
    expect(largest(found.get('blocks/0/attention/qkv/kernel')!)).toBeGreaterThan(0.99 * limit);
    expect(largest(found.get('patch/kernel')!)).toBeLessThanOrEqual(Math.sqrt(6 / (12 + 64)));
    expect(largest(found.get('patch/bias')!)).toBe(0);
    expect(deviation(found.get('condition/embedders/0/hidden/kernel')!)).toBeCloseTo(0.02, 3);
    expect(deviation(found.get('condition/label/table')!)).toBeCloseTo(0.02, 2);
  });

  test('of improved MeanFlow: gates and outputs zero, scales one, the others of variance 1/inputs', () => {
    const found = leaves({ ...pmf, width: 64, heads: 4, classCount: 40, velocityHead: { depth: 1 } });
    for (const path of ['blocks/0/attention/gate', 'averageHead/blocks/0/mlp/gate', 'averageHead/linear/kernel', 'velocityHead/linear/bias']) {
      expect(largest(found.get(path)!)).toBe(0);
    } // prettier-ignore
    expect([...found.get('blocks/0/attention/queryNorm/scale')!.data]).toEqual(
      Array.from({ length: 16 }, () => 1),
    );
    expect(deviation(found.get('blocks/0/mlp/swiGlu/gate/kernel')!) * 8).toBeCloseTo(0.32, 1);
    expect(deviation(found.get('conditions/omega/hidden/kernel')!) * 16).toBeCloseTo(1, 1);
    expect(deviation(found.get('conditions/label/table')!) * 8).toBeCloseTo(1, 1);
    expect(deviation(found.get('conditions/h/tokens')!) * 8).toBeCloseTo(1, 0);
    expect(deviation(found.get('positions')!)).toBeCloseTo(0.02, 2);
  });
});

describe('one small DiT is trained by every objective', () => {
  const config: DitConfig = { ...dit, classCount: 5, guidance: true, velocityHead: { depth: 1 } };
  const network = createNetwork(config);
  const batch = { x: key.fold('x').normal([4, 4, 4, 3]), label: hostArray([0, 1, 2, 3], { dtype: 'int32' }) };
  const labelDrop = { probability: 0.5, rows: 'first' } as const;
  const objectives: [string, ObjectiveConfig][] = [
    ['flow matching', { kind: 'flow-matching', labelDrop }],
    ['MeanFlow', { kind: 'meanflow', labelDrop, guidance: { omega: 1, kappa: 0.5 } }],
    ['improved MeanFlow', { kind: 'improved-meanflow', labelDrop, guidance: {} }],
    ['improved MeanFlow, boundary', { kind: 'improved-meanflow', tangent: 'boundary' }],
  ];

  test.each(objectives)('%s', (_, settings) => {
    const objective = createObjective(settings);
    const draws = objective.draw({ network, key: key.fold('draws'), batch, step: 0 });
    const results = evaluate(
      ({ params, batch, draws }) => {
        const { gradient, aux } = differentiate<never, Tensor>((p) => {
          const { loss } = objective.loss({
            network,
            params: p,
            batch: batch as never,
            draws: draws as never,
            references: {},
          });
          return [loss, loss];
        }, params as never);
        return { ...gradient, loss: aux };
      },
      { params: warm(config), batch, draws },
    );
    for (const { data } of Object.values(results)) expect(data.every(Number.isFinite)).toBe(true);
    const moving = Object.entries(results).filter(([, { data }]) => data.some((x) => x !== 0));
    const names = moving.map(([name]) => name);
    expect(names).toEqual(expect.arrayContaining(['loss', 'patch/kernel', 'out/linear/kernel', 'condition/label/table'])); // prettier-ignore
    const trainsHead =
      settings.kind === 'improved-meanflow' && !('tangent' in settings && settings.tangent === 'boundary');
    expect(names.includes('velocityHead/out/linear/kernel')).toBe(trainsHead);
  });
});

test('presets have the configurations that their names say', () => {
  expect(networkPreset('dit-xl-2')).toMatchObject({ kind: 'dit', width: 1152, depth: 28, heads: 16, patchSize: 2, classCount: 1000 }); // prettier-ignore
  expect(networkPreset('imf-dit-m-2-train')).toMatchObject({
    depth: 24,
    headDepth: 8,
    velocityHead: { depth: 8 },
  });
  expect(networkPreset('pmf-dit-h-32')).toMatchObject({
    featureShape: [512, 512, 3],
    width: 1280,
    patchSize: 32,
  });
  for (const config of Object.values(networkPresets))
    expect(createNetwork(config).parameterCount).toBeGreaterThan(1e6);
  expect(() => networkPreset('dit-b2')).toThrow(
    'There is no network preset "dit-b2". Did you mean "dit-b-2"?',
  );
});

describe('errors', () => {
  const cases: [NetworkConfig, RegExp][] = [
    [{ ...dit, heads: 3 }, /heads divide the width into equal parts, got 3 heads for width 8/],
    [{ ...dit, patchSize: 5 }, /sides of at least 5, got \[4, 4, 3\]/],
    [{ ...dit, width: 6, heads: 2 }, /width divisible by 4, got 6/],
    [{ ...dit, depth: 0 }, /dit: depth: expected more than 0, got 0/],
    [{ ...dit, mlpRatio: 0 }, /mlpRatio: expected more than 0, got 0/],
    [{ ...dit, velocityHead: { depth: 3 } }, /velocityHead.depth is how many of the 2 layers/],
    [{ ...imf, headDepth: 4 }, /headDepth is how many of the 3 layers/],
    [{ ...imf, tokens: { omega: 0 } }, /tokens.omega: expected more than 0, got 0/],
    [{ ...imf, classCount: 1.5 }, /classCount: expected a whole number, got 1.5/],
    [{ ...imf, width: 6, heads: 2 }, /3 is not a number of pairs/],
    [{ ...pmf, noiseScale: 0 }, /noiseScale: expected more than 0, got 0/],
    [{ ...dit, kind: 'vit' } as never, /There is no network of kind "vit"/],
  ];
  test.each(cases)('%j', (config, message) => {
    expect(() => createNetwork(config)).toThrow(message);
  });
});
