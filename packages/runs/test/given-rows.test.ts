/** Samples of a model with conditions are for the rows that they are asked for, in pieces and batches of any size, and are judged beside these. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { add, concat, HostArray, mul, RandomKey, referenceBackend } from '@meanflow/core';
import { GIVEN } from '@meanflow/data';
import { mlp } from '@meanflow/models';
import { createSampler, rowConditions, type VelocityInputs } from '@meanflow/samplers';
import { drawSamples } from '../src/experiment/draw.js';
import { createJudge, heldOutRows, scoreModel, type Judge } from '../src/experiment/evaluation.js';
import type { Model } from '../src/experiment/model.js';
import { planSamples, streamPlanned } from '../src/experiment/sample.js';
import { drawnPieces } from '../src/experiment/sample-stream.js';
import { resolveRun, type ResolvedRun } from '../src/experiment/resolve.js';
import { tiny } from './support/tiny.js';

const specs = { [GIVEN]: { kind: 'vector', shape: [1] } } as const;

const plain = mlp({ kind: 'mlp', featureShape: [2], width: 2, depth: 1, conditions: specs });
/** Gives back what it is given, twice: u = z − (a, a), which one step takes off z. */
const echo = {
  ...plain,
  apply: (_: unknown, { z, ...given }: VelocityInputs) => {
    const value = rowConditions(specs, given, z.shape[0]!)[0]!.value;
    return { u: add(z, mul(-1, concat([value, value], 1))) };
  },
};

let folder: string;
let run: ResolvedRun;
let model: Model;
const backend = referenceBackend();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meanflow-given-'));
  const data = join(folder, 'same.csv');
  const rows = Array.from({ length: 150 }, (_, i) => new Array<number>(3).fill((i * 67) % 150).join());
  await writeFile(data, ['a,b,c', ...rows].join('\n'));
  const evaluation = { samples: 70, metrics: ['energy-distance'] };
  const task = { kind: 'given', columns: ['a'] };
  run = await resolveRun([
    { record: { ...tiny, data, task, conditional: false, evaluation }, source: 'test' },
  ]);
  const { config, dataset } = run;
  const of = { config, average: null, step: 0, guidance: undefined, origin: 'echo', notes: [] };
  const solver = 'average-velocity' as const;
  model = {
    ...of,
    data: dataset,
    network: echo,
    params: plain.init(RandomKey.fromSeed(0)),
    sampling: { ...config.sampling, solver },
  };
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const twice = (a: HostArray): number[] => Array.from(a.data).flatMap((value) => [value, value]);
const close = (found: ArrayLike<number>, expected: readonly number[]): void => {
  expect(found).toHaveLength(expected.length);
  expect(Math.max(...expected.map((value, i) => Math.abs(value - found[i]!)))).toBeLessThan(1e-5);
};

it('pieces of a stream go on where the one before ended', async () => {
  const [count, atOnce] = [1203, 128];
  const given = heldOutRows(run.dataset, 3, 20)!;
  const all = given(count).conditions![GIVEN]!;
  // All twenty take turns, which are not alike.
  expect(new Set(all.data).size).toBe(20);
  expect(all.data.subarray(20, 40)).toEqual(all.data.subarray(0, 20));
  const drawn: number[] = [];
  for await (const { samples } of drawnPieces({ ...model, atOnce }, { backend, seed: 0, count, nfe: 1, given })) {
    drawn.push(...samples.data);
  }
  close(drawn, twice(all));
}); // prettier-ignore

it.each([7, 64])('a plan draws each row for its own, %d at a time', async (batchSize) => {
  const count = 40;
  const { conditions } = heldOutRows(run.dataset, 0, 70)!(count);
  const plan = planSamples(model, { count, conditions, batchSize, nfe: 1 });
  const drawn: number[] = [];
  for await (const { normalised } of streamPlanned(plan, backend)) drawn.push(...normalised.data);
  close(drawn, twice(conditions![GIVEN]!));
});

describe('a judge', () => {
  const scored = async (change: (judge: Judge) => Judge) => {
    const judge = createJudge(run.dataset, run.config, 0);
    await using sampler = createSampler(backend, model.network);
    const [made] = await scoreModel(sampler, model, change(judge), { seed: 0, nfe: [1] });
    return made!.scores['energy-distance']!;
  };

  it('sees samples beside what they were drawn for', async () => {
    // Exact rows against the same ones: the distance of a sample from itself.
    const judge = createJudge(run.dataset, run.config, 0);
    const exact = judge.given!(70).conditions![GIVEN]!;
    const itself = await judge.score(new HostArray('float32', [70, 2], Float32Array.from(twice(exact))), undefined);
    expect(await scored((own) => own)).toBeCloseTo(itself['energy-distance']!, 5);
    // Of the row before: no column is another one, but what goes together is.
    const shifted = await scored((own) => ({ ...own, given: (count, start = 0) => own.given!(count, start + 1) }));
    expect(shifted - itself['energy-distance']!).toBeGreaterThan(0.1);
  }); // prettier-ignore

  it('has the rows of the samples that are drawn at once', async () => {
    await using sampler = createSampler(backend, model.network, { batchSize: 16 });
    const { conditions } = createJudge(run.dataset, run.config, 0).given!(70);
    const key = RandomKey.fromSeed(1);
    const { samples } = await drawSamples(sampler, model, { count: 70, key, labels: undefined, conditions, nfe: 1 });
    close(samples.data, twice(conditions![GIVEN]!));
  }); // prettier-ignore
});
