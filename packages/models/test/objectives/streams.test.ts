/**
 * What is random in a step is independent: noise, times, drops and guidance of one row of one another, of those of other rows, of the
 * next step's and of another seed's. A stream that two of them share shows as a correlation, of values or of their distances from the mean.
 */
import { RandomKey, type HostArray } from '@meanflow/core';
import { createObjective, songUNet, type ObjectiveConfig, type VelocityDraws } from '../../src/index.js';

const ROWS = 4000;
/** Deviations of a correlation of so many independent pairs. */
const MOST = 5;

const network = songUNet({
  ...{ kind: 'song-unet', featureShape: [1, 2, 2], channels: 4, channelMultipliers: [1], blocks: 1 },
  ...{ attentionResolutions: [], dropout: 0.5 },
});
const batch = {
  x: { shape: [ROWS, 1, 2, 2] },
  label: { shape: [ROWS] },
  conditions: { first: { shape: [ROWS, 2] }, second: { shape: [ROWS, 2] } },
};
const drop = { first: 0.4, second: 0.4 };
const uniform = { t: { kind: 'uniform' }, equalShare: 0 } as const;
const common = { labelDrop: { probability: 0.4 }, conditionDrop: drop };

const objectives: readonly ObjectiveConfig[] = [
  { kind: 'flow-matching', ...common },
  { kind: 'meanflow', intervals: uniform, ...common },
  { kind: 'improved-meanflow', intervals: uniform, guidance: {}, ...common },
];

type Columns = Record<string, readonly number[]>;

const step = (config: ObjectiveConfig, key: RandomKey, index: number): VelocityDraws =>
  createObjective(config).draw({ network, key: key.fold(index), batch, step: index }) as VelocityDraws;

/** One number of each row for everything that is drawn for rows. */
function columnsOf({ noise, dropout = [], droppedConditions = {}, ...draws }: VelocityDraws): Columns {
  const numbers = ({ data }: HostArray): number[] => Array.from(data, Number);
  const every = (x: HostArray, from: number, by: number): number[] =>
    Array.from({ length: ROWS }, (_, row) => Number(x.data[from + row * by]));
  const columns: Columns = {
    'noise of a pixel': every(noise, 0, 4),
    'noise of the next': every(noise, 1, 4),
    // A number for each row that is drawn from the same bits has the same place among them.
    'noise in its order': every(noise, 0, 1),
  };
  for (const [name, drawn] of Object.entries(draws)) columns[name] = numbers(drawn as HostArray);
  for (const [name, rows] of Object.entries(droppedConditions)) columns[`drop of ${name}`] = numbers(rows);
  // Numbers for each row and channel, behind a factor and a term.
  dropout.forEach(({ channels }, block) => {
    columns[`dropout of block ${block}`] = every(channels, 0, channels.shape[2]!);
    columns[`dropout of block ${block}, term`] = every(channels, channels.size / 2, channels.shape[2]!);
  });
  // r lies below t, and is told apart by where between 0 and t.
  if (columns.r && columns.t) columns.r = columns.r.map((r, row) => r / columns.t![row]!);
  return columns;
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const centred = (x: readonly number[]): number[] => {
    const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
    return x.map((value) => value - mean);
  };
  const [x, y] = [centred(a), centred(b)];
  const dot = (p: readonly number[], q: readonly number[]) =>
    p.reduce((sum, value, i) => sum + value * q[i]!, 0);
  const size = Math.sqrt(dot(x, x) * dot(y, y));
  return size === 0 ? 0 : dot(x, y) / size;
}

/** Distances from the median: what two numbers share that are not monotone in one another. */
const spread = (x: readonly number[]): number[] => {
  const median = [...x].sort((p, q) => p - q)[x.length >> 1]!;
  return x.map((value) => Math.abs(value - median));
};

/** The pairs that depend on one another. */
function dependent(pairs: readonly (readonly [string, readonly number[], readonly number[]])[]): string[] {
  const bound = MOST / Math.sqrt(ROWS);
  return pairs
    .filter(([, a, b]) => {
      const values = [a, spread(a)].flatMap((x) => [b, spread(b)].map((y) => correlation(x, y)));
      return values.some((value) => Math.abs(value) > bound);
    })
    .map(([name]) => name);
}

const key = RandomKey.fromSeed(5);

describe.each(objectives.map((config) => [config.kind, config] as const))('%s', (_, config) => {
  const now = columnsOf(step(config, key, 7));

  test('draws everything anew for each row', () => {
    const expected = { 'flow-matching': 11, meanflow: 12, 'improved-meanflow': 15 }[config.kind as string]!;
    expect(Object.keys(now).length).toBeGreaterThanOrEqual(expected);
    const shifted = Object.entries(now).map(([name, x]) => [name, x.slice(1), x.slice(0, -1)] as const);
    expect(dependent(shifted)).toEqual([]);
  });

  test('of streams of their own', () => {
    const names = Object.keys(now);
    const pairs = names.flatMap((a, i) =>
      names.slice(i + 1).map((b) => [`${a} and ${b}`, now[a]!, now[b]!] as const),
    );
    expect(dependent(pairs)).toEqual([]);
  });

  test.each([
    ['the next step', columnsOf(step(config, key, 8))],
    ['another seed', columnsOf(step(config, RandomKey.fromSeed(6), 7))],
  ])('and others than those of %s', (__, later) => {
    const pairs = Object.keys(now).flatMap((a) =>
      Object.keys(later).map((b) => [`${a} and then ${b}`, now[a]!, later[b]!] as const),
    );
    expect(dependent(pairs)).toEqual([]);
  });
});

test('a stream that is shared shows', () => {
  const u = Array.from(key.uniform([ROWS]).data);
  const other = Array.from(key.fold('other').uniform([ROWS]).data);
  expect(dependent([['same', u, u.map((x) => 1 - x ** 3)]])).toEqual(['same']);
  expect(dependent([['folded', u, u.map((x) => (x - 0.5) ** 2)]])).toEqual(['folded']);
  expect(dependent([['a drop', u, u.map((x) => Number(x < 0.4))]])).toEqual(['a drop']);
  expect(dependent([['apart', u, other]])).toEqual([]);
});
