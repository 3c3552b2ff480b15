/**
 * What is judged is what is said: samples of the average that is named, at the number of evaluations that is named, against the split
 * that is named. The samples are drawn here by hand, from parameters that are read from the checkpoint's bytes.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repeatedDraws } from '@meanflow/conformance/testing';
import { hostArray, RandomKey, treeFlatten, type Backend, type HostArray } from '@meanflow/core';
import { openDataset } from '@meanflow/data/node';
import { metrics } from '@meanflow/metrics';
import { createSampler, solvers, uniformGrid } from '@meanflow/samplers';
import { compareRuns, judge, openBackend, openModel, trainRun, type OpenModel } from '../src/node.js';
import { createJudge, evaluationKey } from '../src/experiment/evaluation.js';
import { drawnPieces } from '../src/experiment/sample-stream.js';
import { tiny } from './support/tiny.js';

const METRIC = 'sliced-wasserstein-2';
const COUNT = 50;
const evaluation = { samples: COUNT, metrics: [METRIC] };
// In six steps, averages that begin with smaller decays would be one.
const ema = { decays: [0.5, 0.9], rampUp: false };

let folder: string;
let backend: Backend;
let model: OpenModel;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meanflow-judged-'));
  backend = await openBackend('ort:cpu');
  await trainRun({ ...tiny, conditional: false, ema, evaluation }, { folder: at('run'), backend });
  model = await openModel(at('run'));
});

afterAll(async () => {
  await backend.dispose();
  await rm(folder, { recursive: true, force: true });
});

/** The arrays of the last checkpoint whose names begin with `prefix`, in the form of the model's parameters. */
async function arrays(prefix: string) {
  const file = await readFile(at('run/final.safetensors'));
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, start)) as Record<string, { data_offsets: [number, number]; shape: number[] }>; // prettier-ignore
  const { structure } = treeFlatten<HostArray>(model.generator.params as never);
  const leaves = structure.paths.map((path) => {
    const { data_offsets: [from, to], shape } = header[`${prefix}/${path}`]!; // prettier-ignore
    const bytes = file.buffer.slice(file.byteOffset + start + from, file.byteOffset + start + to);
    return hostArray(new Float32Array(bytes), { shape });
  });
  return structure.unflatten(leaves) as typeof model.generator.params;
}

/** As many steps as evaluations, from the noise of the seed. */
async function byHand(prefix: string, nfe: number, seed: number): Promise<HostArray> {
  const { network, sampling } = model.generator;
  await using sampler = createSampler(backend, network);
  const { samples } = await sampler.sample({
    params: await arrays(prefix),
    noise: RandomKey.fromSeed(seed)
      .fold('evaluation')
      .fold('noise')
      .normal([COUNT, ...network.featureShape]),
    solver: solvers.get(sampling.solver),
    times: uniformGrid(nfe),
  });
  return samples;
}

const NAMED: readonly (readonly [string | undefined, string])[] = [
  [undefined, 'ema/0.5'],
  ['0.5', 'ema/0.5'],
  ['0.9', 'ema/0.9'],
  ['none', 'params'],
];

it.each(NAMED)('of the average %s, at each number of evaluations', async (average, prefix) => {
  const nfe = [2, 1, 3];
  const { rows } = await judge(at('run'), { backend, nfe, seed: 4, ...(average && { average }) });
  expect(rows.map((row) => row.nfe)).toEqual(nfe);
  for (const { nfe, samples } of rows) expect(samples).toEqual(await byHand(prefix, nfe, 4));
});

it('three averages are three sets of samples, as are numbers of evaluations and seeds', async () => {
  const all = await Promise.all([
    ...['ema/0.5', 'ema/0.9', 'params'].map((prefix) => byHand(prefix, 1, 4)),
    byHand('params', 2, 4),
    byHand('params', 1, 5),
  ]);
  expect(new Set(all.map(({ data }) => data.join())).size).toBe(5);
});

it('against held-out rows, with the floor of rows that were learnt from', async () => {
  const { rows, floor } = await judge(at('run'), { backend, nfe: [1], seed: 4 });
  const key = evaluationKey(4);
  const dataset = await openDataset('digits');
  const reference = dataset.reference('test', key.fold('reference'), COUNT).x;
  const distance = (samples: HostArray) =>
    metrics.get(METRIC).evaluate({ samples, reference }, key.fold(METRIC));
  expect(rows[0]!.scores[METRIC]).toBe(distance(rows[0]!.samples));
  expect(floor[METRIC]).toBe(distance(dataset.reference('train', key.fold('floor'), COUNT).x));
  // Both splits are told apart by what is learnt from.
  const texts = (split: 'train' | 'test') => {
    const { x } = dataset.reference(split, key, dataset.sizes![split]);
    return Array.from({ length: x.shape[0]! }, (_, row) => x.rows(row, row + 1).data.join());
  };
  const [learnt, heldOut] = [new Set(texts('train')), new Set(texts('test'))];
  const judged = Array.from({ length: COUNT }, (_, row) => reference.rows(row, row + 1).data.join());
  expect(judged.every((row) => heldOut.has(row) && !learnt.has(row))).toBe(true);
});

it('a comparison judges as judging its runs does', async () => {
  const scored: unknown[] = [];
  await compareRuns(
    {
      config: {
        ...{ data: ['two-moons'], methods: ['flow-matching', 'meanflow'], seeds: [0, 1], backend: 'ort:cpu' },
        recipes: { 'two-moons': { evaluation } },
      },
      changes: { steps: 3, batch: 8 },
      command: 'a test',
    },
    { folder: at('compared'), jobs: 1, onFinished: (_, { method, seed, scores }) => scored.push([method, seed, scores]) },
  ); // prettier-ignore
  expect(scored).toHaveLength(4);
  for (const [method, seed, scores] of scored as [string, number, { nfe: number; scores: object }[]][]) {
    const nfe = scores.map((row) => row.nfe);
    const path = at(`compared/runs/two-moons/${method}-seed-${seed}`);
    const { rows } = await judge(path, { backend, nfe, seed });
    expect(rows.map(({ nfe, scores }) => ({ nfe, scores }))).toEqual(scores);
    const { rows: raw } = await judge(path, { backend, nfe, seed, average: 'none' });
    expect(raw[0]!.scores).not.toEqual(scores[0]!.scores);
  }
});

it('noise, held-out rows and those of the floor are of streams of their own', async () => {
  const dataset = await openDataset('two-moons');
  const { config } = (await judge(at('run'), { backend, nfe: [1] })).model;
  const draw = () => {
    createJudge(dataset, { ...config, conditional: false }, 4);
    evaluationKey(4).fold('noise').normal([COUNT, 2]);
  };
  expect(repeatedDraws(draw)).toEqual({});
});

it('pieces of a stream of samples have noise of their own', async () => {
  const { generator } = model;
  const [count, seen] = [1203, new Set<string>()];
  const all: number[] = [];
  for await (const { samples } of drawnPieces(generator, { backend, seed: 4, count, nfe: 1 })) {
    all.push(...samples.data);
    for (let row = 0; row < samples.shape[0]!; row++) seen.add(samples.rows(row, row + 1).data.join());
  }
  expect(all).toHaveLength(count * 64);
  expect(seen.size).toBe(count);
});
