/** Judging, exporting and comparing by code. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend } from '@meanflow/core';
import { compareRuns, exportSampler, judge, openBackend, openModel, trainRun } from '../src/node.js';
import { tiny } from './support/tiny.js';

/** Judged in a moment. */
const recipes = { 'two-moons': { evaluation: { samples: 40, metrics: ['sliced-wasserstein-2'] } } };

let folder: string;
let backend: Backend;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meanflow-runs-'));
  backend = await openBackend('ort:cpu');
  const evaluation = { samples: 50, metrics: ['sliced-wasserstein-2'] };
  await trainRun({ ...tiny, data: '8-gaussians', evaluation }, { folder: at('run'), backend });
});

afterAll(async () => {
  await backend.dispose();
  await rm(folder, { recursive: true, force: true });
});

it('judges a run at each number of evaluations, beside the floor', async () => {
  const judged: string[] = [];
  const { rows, floor, metrics, dataset } = await judge(at('run'), {
    backend,
    nfe: [1, 2],
    onModel: (model, { name }) => judged.push(`step ${model.step} on ${name}`),
  });
  expect(judged).toEqual(['step 6 on 8-gaussians']);
  expect(dataset.name).toBe('8-gaussians');
  expect(metrics.map(({ name }) => name)).toEqual(['sliced-wasserstein-2']);
  expect(rows.map(({ nfe }) => nfe)).toEqual([1, 2]);
  const distance = rows.map(({ scores }) => scores['sliced-wasserstein-2']);
  expect(distance[0]).not.toBe(distance[1]);
  // Six steps learn nothing.
  for (const each of distance) expect(each).toBeGreaterThan(floor['sliced-wasserstein-2']!);
});

it('refuses metrics that do not apply', async () => {
  await expect(judge(at('run'), { backend, metrics: ['class-accuracy'] })).rejects.toThrow(/classes/);
  await expect(judge(at('run'), { backend, metrics: ['w2'] })).rejects.toThrow(/no metric "w2"/);
});

it('exports a sampler whose inputs and evaluations it tells', async () => {
  const path = at('sampler.onnx');
  const made = await exportSampler(await openModel(at('run')), path, { rows: 3, nfe: 2 });
  expect(made).toMatchObject({ nfe: 2, bytes: (await stat(path)).size, dataFile: undefined });
  expect(made.inputs).toEqual([{ name: 'noise', dtype: 'float32', shape: [3, 2] }]);
  expect(made.outputs).toEqual([{ name: 'samples', dtype: 'float32', shape: [3, 2] }]);
});

it('compares methods in a folder, with their numbers and a report', async () => {
  const began: number[] = [];
  const finished: string[] = [];
  const { results, report, failures, stopped } = await compareRuns(
    {
      config: {
        data: ['two-moons'],
        methods: ['flow-matching', 'meanflow'],
        seeds: [0],
        backend: 'ort:cpu',
        recipes,
      },
      changes: { steps: 3, batch: 8 },
      command: 'a test',
    },
    {
      folder: at('compared'),
      jobs: 1,
      onBegin: ({ tasks }) => began.push(tasks.length),
      onFinished: (_, { method }) => finished.push(method),
    },
  );
  expect({ began, finished, failures, stopped }).toEqual({
    began: [2],
    finished: ['flow-matching', 'meanflow'],
    failures: [],
    stopped: false,
  });
  expect(results?.datasets[0]?.methods.map(({ method }) => method)).toEqual(['flow-matching', 'meanflow']);
  expect(JSON.parse(await readFile(at('compared/results.json'), 'utf8'))).toEqual(
    JSON.parse(JSON.stringify(results)),
  );
  expect(await readFile(report ?? '', 'utf8')).toContain('two-moons');
});

it('stops a comparison that is told to, to be gone on with', async () => {
  const config = {
    data: ['two-moons'],
    methods: ['meanflow' as const],
    seeds: [0],
    backend: 'ort:cpu',
    recipes,
  };
  const stop = new AbortController();
  const request = { config, changes: { steps: 3, batch: 8 }, command: 'a test' };
  const options = { folder: at('stopped'), jobs: 1, signal: stop.signal, onBegin: () => stop.abort() };
  expect(await compareRuns(request, options)).toMatchObject({ stopped: true, results: undefined });
  const { results } = await compareRuns(request, { folder: at('stopped'), resume: true, jobs: 1 });
  expect(results?.datasets).toHaveLength(1);
});
