/** Averages of short runs: which one is sampled with, what is said of one that is noise still, and that old runs keep theirs. */
import { readFile, writeFile } from 'node:fs/promises';
import { openDataset } from '@meanflow/data/node';
import { decodeSafetensors, encodeSafetensors } from '@meanflow/formats';
import type { RunConfig } from '@meanflow/runs/node';
import { averageNote, chosenAverage, emaOf, recipeFor, shortRunNote } from '@meanflow/runs/command';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { tinyConfig, writeJson } from './support/tiny.js';

const folder = temporaryFolder();
const samplesOf = async (run: string, ...args: string[]) =>
  (await succeed('sample', folder.path(run), '--count', '3', '--out', '-', ...args)).out;

beforeAll(async () => {
  const fixed = {
    ...tinyConfig,
    ema: { decays: [0.999, 0.5], rampUp: false },
    sampling: { ema: 0.999, nfe: [1] },
  };
  for (const [name, config] of Object.entries({
    fixed,
    ramped: { ...fixed, ema: { decays: [0.999, 0.5] } },
  })) {
    await succeed(
      'train',
      '--config',
      await writeJson(folder.path(`${name}.json`), config),
      '--out',
      folder.path(name),
    );
  }
});

it('a run ramps its averages up, and says so in its configuration', async () => {
  const config = JSON.parse(await readFile(folder.path('ramped', 'config.json'), 'utf8')) as RunConfig;
  expect(config.ema).toEqual({ decays: [0.999, 0.5], rampUp: true });
  const { scalars } = emaOf(config);
  expect(scalars(0)['0.999']).toBeCloseTo(1 - 2 / 11, 12);
});

it('a configuration that says nothing of it is an old one, and keeps its decay', () => {
  expect(emaOf({ ema: { decays: [0.999] }, batch: 8 }).scalars(0)['0.999']).toBeCloseTo(0.001, 12);
});

it.each(['digits', 'shapes', '8-gaussians', 'wine'])('the recipe of %s ramps up', (name) => {
  expect(recipeFor(name, { classCount: 2, featureShape: [2], sizes: undefined }).ema.rampUp).toBe(true);
});

it('an average that is noise still is told by whoever samples, evaluates or exports it', async () => {
  const note =
    /average that is sampled with \(decay 0\.999\) is still 99 % the initial network after 6 steps/;
  const out = folder.path('x.csv');
  expect((await succeed('sample', folder.path('fixed'), '--out', out)).err).toMatch(note);
  expect((await succeed('evaluate', folder.path('fixed'))).err).toMatch(note);
  expect((await succeed('export', folder.path('fixed'), '--out', folder.path('x.onnx'))).err).toMatch(note);
  expect((await succeed('sample', folder.path('fixed'), '--out', '-', '--average', 'none')).err).not.toMatch(
    note,
  );
  expect((await succeed('sample', folder.path('ramped'), '--out', '-')).err).not.toMatch(/initial network/);
});

it('--average chooses which parameters are sampled', async () => {
  const own = await samplesOf('fixed');
  expect(await samplesOf('fixed', '--average', '0.999')).toBe(own);
  const [half, none] = [
    await samplesOf('fixed', '--average', '0.5'),
    await samplesOf('fixed', '--average', 'none'),
  ];
  expect(new Set([own, half, none]).size).toBe(3);
  // The averages of both runs differ, the parameters do not.
  expect(await samplesOf('ramped', '--average', 'none')).toBe(none);
  expect(await samplesOf('ramped')).not.toBe(own);
});

it('what is judged are the samples of the average, and of the evaluations, that are named', async () => {
  const metricsOf = async (...args: string[]) => {
    const { out } = await succeed('evaluate', folder.path('fixed'), '--json', '--samples', '64', ...args);
    const { results } = JSON.parse(out) as { results: readonly { nfe: number; metrics: object }[] };
    return Object.fromEntries(results.map(({ nfe, metrics }) => [nfe, metrics]));
  };
  const own = await metricsOf();
  expect(await metricsOf('--average', '0.999')).toEqual(own);
  const [half, none] = [await metricsOf('--average', '0.5'), await metricsOf('--average', 'none')];
  expect(new Set([own, half, none].map((metrics) => JSON.stringify(metrics))).size).toBe(3);
  // Each number of evaluations as by itself, and others than another's.
  const both = await metricsOf('--nfe', '2,1');
  expect(both[1]).toEqual(own[1]);
  expect(both[2]).toEqual((await metricsOf('--nfe', '2'))[2]);
  expect(both[2]).not.toEqual(both[1]);
});

it.each(['0.9', 'all'])('--average %j is refused', async (name) => {
  const outcome = await meanflow('sample', folder.path('fixed'), '--average', name, '--out', '-');
  expect(outcome).toMatchObject({ status: 2, out: '' });
  expect(outcome.err).toContain(`keeps no average "${name}". Known are 0.999, 0.5, none.`);
});

it('half-lives are named by their samples', () => {
  const config = { ema: { halfLives: [500_000, 2_000_000] }, sampling: { ema: 2_000_000 } } as RunConfig;
  expect(chosenAverage(config, '500000')).toBe(500_000);
  expect(chosenAverage(config)).toBe(2_000_000);
  expect(averageNote({ ...config, batch: 64 }, 100, 2_000_000)).toBeUndefined();
});

it('a run far shorter than its recipe says so', async () => {
  const length = { data: 'digits', batch: 256, recipe: undefined };
  expect(shortRunNote({ ...length, steps: 350 }, await openDataset('digits'))).toMatch(
    /350 steps, where the recipe of digits makes 3,000/,
  );
  expect(shortRunNote({ ...length, steps: 3000 }, await openDataset('digits'))).toBeUndefined();
  // 640 passes over 1,437 rows in batches of 32.
  const published = { data: 'digits', batch: 32, recipe: 'imf-dit-b-2', steps: 100 };
  expect(shortRunNote(published, await openDataset('digits'))).toMatch(/where imf-dit-b-2 makes 28,160/);
  const outcome = await succeed(
    'train',
    '--config',
    folder.path('ramped.json'),
    '--out',
    folder.path('again'),
  );
  expect(outcome.err).toContain('A short run: 6 steps, where the recipe of 8-gaussians makes 7,500.');
});

it.each(['sample', 'evaluate', 'export'])('%s refuses parameters that are not finite', async (command) => {
  const { tensors, metadata } = decodeSafetensors(await readFile(folder.path('fixed', 'final.safetensors')));
  const [name] = Object.keys(tensors).filter(
    (each) => each.startsWith('ema/0.999/') && each.includes('kernel'),
  );
  tensors[name].data[0] = NaN;
  const path = folder.path(`nan-${command}.safetensors`);
  await writeFile(path, encodeSafetensors(tensors, metadata, { checksums: true }));
  const outcome = await meanflow(command, path);
  expect(outcome).toMatchObject({ status: 1, out: '' });
  expect(outcome.err).toMatch(
    /cannot be sampled: its parameters are not finite \(1 of the \d+ values of ".*kernel"\)/,
  );
});
