/** What objectives draw, the masks of drop-out and initial parameters: every one from a stream of its own. */
import { dependentPairs, repeatedDraws } from '@meanflow/conformance/testing';
import { hostArray, RandomKey, treeFlatten, type HostArray } from '@meanflow/core';
import {
  createNetwork,
  createObjective,
  type NetworkConfig,
  type ObjectiveConfig,
  type TrainingBatch,
} from '../src/index.js';
import { dropout } from '../src/layers/dropout.js';
import { evaluate } from './helpers.js';

const ROWS = 4000;
const key = RandomKey.fromSeed(31);
const column = () => key.fold('column').normal([ROWS, 1]);
const batch: TrainingBatch = {
  x: key.fold('x').normal([ROWS, 1]),
  label: key.fold('label').integers([ROWS], 0, 5),
  conditions: { a: column(), b: column() },
};
const drops = { labelDrop: { probability: 0.2 }, conditionDrop: { a: 0.3, b: 0.2 } };
const unet = createNetwork({
  kind: 'song-unet',
  featureShape: [1, 4, 4],
  channels: 16,
  channelMultipliers: [1],
  blocks: 2,
  attentionResolutions: [],
  dropout: 0.5,
});

const plain = createNetwork({ kind: 'mlp', featureShape: [1], width: 2, depth: 1 });
const intervals = { t: { kind: 'uniform' }, equalShare: 0 } as const;

test.each<ObjectiveConfig>([
  { kind: 'flow-matching', ...drops },
  { kind: 'meanflow', intervals, ...drops },
  { kind: 'improved-meanflow', intervals, guidance: {}, ...drops },
])('what $kind draws is independent, of the next row, step and seed too', (config) => {
  const objective = createObjective(config);
  const drawn = (of: RandomKey, step: number): Record<string, Float32Array | Float64Array> => {
    const { droppedConditions, ...others } = objective.draw({ network: plain, key: of.fold(step), batch, step }); // prettier-ignore
    const all = Object.entries({ ...others, ...droppedConditions }) as [string, HostArray][];
    const columns = Object.fromEntries(all.map(([name, { data }]) => [name, Float64Array.from(data)]));
    // r lies below t, and is told apart by where between 0 and t.
    const { t, r } = columns;
    return t && r ? { ...columns, r: r.map((value, row) => value / t[row]!) } : columns;
  };
  const now = drawn(key, 0);
  expect(Object.keys(now).length).toBeGreaterThanOrEqual(5);
  const later = { 'the next row': now, 'the next step': drawn(key, 1), 'another seed': drawn(RandomKey.fromSeed(32), 0) }; // prettier-ignore
  const streams = Object.entries(now).map(([name, data]) => [name, data.subarray(0, -1)] as const);
  const others = Object.entries(later).flatMap(([which, columns]) =>
    Object.entries(columns).map(
      ([name, data]) =>
        [`${name} of ${which}`, which === 'the next row' ? data.subarray(1) : data.subarray(0, -1)] as const,
    ),
  );
  expect(dependentPairs(Object.fromEntries([...streams, ...others]))).toEqual([]);
});

test.each<ObjectiveConfig>([
  { kind: 'flow-matching', ...drops },
  { kind: 'meanflow', ...drops },
  { kind: 'improved-meanflow', guidance: {}, ...drops },
])('$kind draws once from a key, in all of its steps and with drop-out', (config) => {
  const objective = createObjective(config);
  const draw = () =>
    [0, 1, 2].map((step) => objective.draw({ network: unet, key: key.fold(step), batch, step }));
  expect(repeatedDraws(draw)).toEqual({});
});

test('masks of different blocks are independent, and those of different rows', () => {
  const rows = 8;
  const draws = unet.drawDropout!(key, rows);
  const masks = draws.map((draw) => {
    const shape = [rows, draw.channels.shape[2]!, ...draw.places.shape.slice(1)];
    const x = hostArray(new Float32Array(shape.reduce((a, b) => a * b)).fill(1), { shape });
    const { y } = evaluate(({ x, draw }) => ({ y: dropout(x, draw, 0.5) }), { x, draw });
    return y;
  });
  expect(masks.length).toBeGreaterThan(3);
  expect(new Set(masks.map(({ shape }) => shape.join())).size).toBe(1);
  expect(dependentPairs(Object.fromEntries(masks.map(({ data }, i) => [`block ${i}`, data])))).toEqual([]);
  const ofRows = Array.from({ length: rows }, (_, row) => {
    const parts = masks.map((mask) => mask.rows(row, row + 1) as HostArray);
    return [`row ${row}`, parts.flatMap(({ data }) => [...data])] as const;
  });
  expect(dependentPairs(Object.fromEntries(ofRows))).toEqual([]);
});

const networks: readonly NetworkConfig[] = [
  { kind: 'mlp', featureShape: [2], width: 24, depth: 3, classCount: 3, guidance: true },
  { kind: 'dit', featureShape: [4, 4, 3], patchSize: 2, width: 16, heads: 2, depth: 2, classCount: 5 },
  { kind: 'unet', featureShape: [4, 4, 3], channels: 8, channelMultipliers: [1, 2], classCount: 5 },
];

test.each(networks)('initial parameters of the layers of $kind are independent', (config) => {
  const { leaves } = treeFlatten<HostArray>(createNetwork(config).init(key) as Record<string, never>);
  const random = leaves.filter(({ data, size }) => size >= 200 && new Set(data).size > size / 2);
  expect(random.length).toBeGreaterThan(3);
  const count = Math.min(...random.map(({ size }) => size));
  const named = random.map(({ data }, i) => [`parameter ${i}`, data.subarray(0, count)] as const);
  expect(dependentPairs(Object.fromEntries(named))).toEqual([]);
  expect(repeatedDraws(() => createNetwork(config).init(key))).toEqual({});
});
