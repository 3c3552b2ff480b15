/** The derivative on the rows that have an interval: the same numbers as of all rows, from less work. */
import {
  hostArray,
  RandomKey,
  rowsOf,
  type HostArray,
  type RowRange,
  type Symbolic,
  type Tensor,
} from '@meanflow/core';
import { prepare } from '@meanflow/core/backend';
import {
  createNetwork,
  createObjective,
  type ImprovedMeanFlowConfig,
  type MeanFlowConfig,
  type NetworkConfig,
  type TrainingBatch,
  type VelocityDraws,
} from '../../src/index.js';
import { differentiate, evaluate, relativeError, traceTree } from '../helpers.js';

type Config = MeanFlowConfig | ImprovedMeanFlowConfig;

const key = RandomKey.fromSeed(4);
const ROWS = 6;

const image = { featureShape: [4, 4, 3], patchSize: 2, width: 8, heads: 2, depth: 2, classCount: 5 } as const;
const networks = {
  mlp: { kind: 'mlp', featureShape: [2], width: 24, depth: 2, velocityHead: { depth: 1 }, classCount: 3, guidance: true },
  dit: { kind: 'dit', ...image },
  unet: { kind: 'unet', featureShape: [4, 4, 3], channels: 4, channelMultipliers: [1, 2], attentionLevels: [1], classCount: 5 },
  'imf-dit': { kind: 'imf-dit', ...image, headDepth: 1, velocityHead: { depth: 1 } },
  'song-unet': { kind: 'song-unet', featureShape: [1, 4, 4], channels: 4, channelMultipliers: [1], blocks: 1, attentionResolutions: [4], augmentWidth: 2, dropout: 0.5 },
} as const satisfies Record<string, NetworkConfig>; // prettier-ignore

const uniform = { kind: 'uniform' } as const;
const cases: readonly (readonly [string, keyof typeof networks, Config, rows: number | undefined])[] = [
  ['MeanFlow', 'mlp', { kind: 'meanflow' }, 2],
  ['MeanFlow on a transformer', 'dit', { kind: 'meanflow', clipInterval: false }, 2],
  ['MeanFlow on a U-Net', 'unet', { kind: 'meanflow' }, 2],
  ['MeanFlow with guidance', 'mlp', { kind: 'meanflow', guidance: { omega: 0.2, kappa: 0.9 }, labelDrop: { probability: 0.5 } }, 2],
  ['a drop-out of rows, and augmentation', 'song-unet', { kind: 'meanflow', intervals: { t: uniform, equalShare: 0.5 } }, 3],
  ['part of a row', 'mlp', { kind: 'meanflow', intervals: { t: uniform, equalShare: 0.4 } }, 4],
  ['whole intervals', 'mlp', { kind: 'meanflow', intervals: { t: uniform, equalShare: 0.4, fullShare: 0.25 } }, 4],
  ['a coin', 'mlp', { kind: 'meanflow', intervals: { t: uniform, equalShare: 0.5, equalRows: 'coin' } }, 6],
  ['no intervals', 'mlp', { kind: 'meanflow', intervals: { t: uniform, equalShare: 1 } }, undefined],
  ['intervals everywhere', 'mlp', { kind: 'meanflow', intervals: { t: uniform, equalShare: 0 } }, 6],
  ['improved MeanFlow', 'mlp', { kind: 'improved-meanflow' }, 3],
  ['improved MeanFlow, boundary', 'mlp', { kind: 'improved-meanflow', tangent: 'boundary' }, 3],
  ['improved MeanFlow, boundary, without intervals', 'mlp', { kind: 'improved-meanflow', tangent: 'boundary', intervals: { t: uniform, equalShare: 1 } }, undefined],
  ['improved MeanFlow with guidance', 'imf-dit', { kind: 'improved-meanflow', guidance: {}, labelDrop: { probability: 0.3 } }, 3],
  ['improved MeanFlow, boundary, with drop-out', 'song-unet', { kind: 'improved-meanflow', tangent: 'boundary' }, 3],
]; // prettier-ignore

/** Parameters none of which is zero, a batch and its draws. */
function made(name: keyof typeof networks, config: Config, step = 0) {
  const network = createNetwork(networks[name]);
  const objective = createObjective(config);
  const batch: TrainingBatch = {
    x: key.fold('x').normal([ROWS, ...network.featureShape]),
    ...(network.classCount !== undefined && { label: key.integers([ROWS], 0, network.classCount) }),
    ...(name === 'song-unet' && { augment: key.fold('augment').normal([ROWS, 2]) }),
  };
  const draws = objective.draw({ network, key: key.fold(step), batch, step });
  const params = createNetwork(networks[name]).init(key) as Record<string, never>;
  return { network, objective, batch, draws, params: randomised(params) };
}

function randomised<T>(tree: T, at = key.fold('params')): T {
  const array = tree as { readonly shape?: readonly number[] };
  if (array.shape !== undefined) return at.normal(array.shape).to('float64') as T;
  if (Array.isArray(tree)) return tree.map((value: unknown, i) => randomised(value, at.fold(i))) as T;
  return Object.fromEntries(
    Object.entries(tree as object).map(([name, value]) => [
      name,
      randomised(value as unknown, at.fold(name)),
    ]),
  ) as T;
}

type Made = ReturnType<typeof made>;

/** Loss, metrics and gradients, traced. */
function stepOf({ network, objective }: Made) {
  return ({ params, batch, draws }: Symbolic<Pick<Made, 'params' | 'batch' | 'draws'>>) => {
    const { gradient, aux } = differentiate((at: typeof params) => {
      const { loss, metrics } = objective.loss({
        network,
        params: at as never,
        batch,
        draws,
        references: {},
      });
      return [loss, { loss, ...metrics }] as const;
    }, params);
    return { ...aux, ...gradient } as Record<string, Tensor>;
  };
}

const inputsOf = ({ params, batch, draws }: Made) => ({ params, batch, draws });
const run = (of: Made): Record<string, HostArray> => evaluate(stepOf(of), inputsOf(of));
const workOf = (of: Made) => prepare(traceTree(stepOf(of), inputsOf(of)).graph).stats();

describe.each(cases)('%s', (_, network, config, rows) => {
  const own = made(network, config);
  const all = made(network, { ...config, tangentRows: 'all' });

  test('draws the same, and says which rows have an interval', () => {
    expect(own.draws.r?.shape).toEqual(rows === undefined ? undefined : [rows]);
    expect(all.draws.r!.shape).toEqual([ROWS]);
    const { r, ...others } = all.draws;
    const { r: last, ...same } = own.draws;
    expect(same).toEqual(others);
    expect([...(last?.data ?? [])]).toEqual([...r!.data.subarray(ROWS - (rows ?? 0))]);
    expect([...r!.data.subarray(0, ROWS - (rows ?? 0))]).toEqual([
      ...own.draws.t.data.subarray(0, ROWS - (rows ?? 0)),
    ]);
  });

  test('loss, metrics and gradients are those of all rows, from less work', () => {
    const [found, expected] = [run(own), run(all)];
    expect(Object.keys(found)).toEqual(Object.keys(expected));
    for (const [name, value] of Object.entries(expected)) {
      expect(relativeError(found[name]!, value)).toBeLessThan(1e-11);
    }
    const [less, more] = [workOf(own), workOf(all)];
    if (rows === ROWS) expect(less).toEqual(more);
    else expect(less.flops).toBeLessThan(more.flops);
  });
});

test('the part of a row has an interval at some steps, and is among the differentiated rows at all', () => {
  const config: Config = { kind: 'meanflow', intervals: { t: uniform, equalShare: 0.4 } };
  const steps = Array.from({ length: 20 }, (_, step) => made('mlp', config, step).draws);
  const first = steps.map(({ r, t }) => r!.data[0] === t.data[ROWS - 4]);
  expect(new Set(first)).toEqual(new Set([true, false]));
});

test('the primal is computed once: products of a step are as many as with all rows', () => {
  for (const kind of ['meanflow', 'improved-meanflow'] as const) {
    const config = kind === 'meanflow' ? { kind } : { kind, tangent: 'boundary' as const };
    const [own, all] = [made('dit', config), made('dit', { ...config, tangentRows: 'all' })].map(workOf);
    // An evaluation at r = t shares embeddings of t with that over the interval where both are of all rows.
    expect(own!.ops['dotGeneral']! - all!.ops['dotGeneral']!).toBeLessThanOrEqual(
      kind === 'meanflow' ? 0 : 3,
    );
  }
});

test.each(['mlp', 'song-unet'] as const)('parts of a batch average to the whole: %s', (name) => {
  const own = made(name, { kind: 'improved-meanflow', tangent: 'boundary' });
  const whole = run(own);
  const halves = [0, 1].map((half) => {
    const range: RowRange = { from: half * 3, to: half * 3 + 3, of: ROWS };
    const draws = own.objective.rowsOf(own.draws, range) as VelocityDraws;
    expect(draws.r!.shape).toEqual([3]);
    return run({ ...own, batch: rowsOf(own.batch, range), draws });
  });
  for (const [output, value] of Object.entries(whole)) {
    const average = value.data.map(
      (_, i) => (halves[0]![output]!.data[i]! + halves[1]![output]!.data[i]!) / 2,
    );
    expect(relativeError(hostArray(Array.from(average), { dtype: 'float64' }), value)).toBeLessThan(1e-11);
  }
});
