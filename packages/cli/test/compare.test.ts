/** `compare`, small: what it writes and what it prints. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { decode } from 'fast-png';
import type { ComparisonResults } from '@meanflow/runs/node';
import { succeed, temporaryFolder, type Outcome } from './support/cli.js';
import { tinyConfig, writeJson } from './support/tiny.js';

const folder = temporaryFolder();
const { steps, batch, network, evaluation } = tinyConfig;
const small = { steps, batch, network, evaluation };
let outcome: Outcome;
let results: ComparisonResults;

beforeAll(async () => {
  const config = await writeJson(folder.path('compare.json'), {
    data: ['checkerboard', 'digits'],
    recipes: { checkerboard: small, digits: small },
  });
  outcome = await succeed(
    'compare',
    '--config',
    config,
    '--seeds',
    '0,1',
    '--jobs',
    '1',
    '--out',
    folder.path('out'),
  );
  results = JSON.parse(await readFile(folder.path('out', 'results.json'), 'utf8'));
});

it('writes the report, the numbers, pictures and every run', async () => {
  const names = await readdir(folder.path('out'));
  expect(names).toEqual(
    expect.arrayContaining([
      'checkerboard.png',
      'checkerboard.svg',
      'digits-data.png',
      'digits-meanflow-1-nfe.png',
      'digits.svg',
      'report.html',
      'results.json',
      'runs',
    ]),
  );
  expect(await readdir(folder.path('out', 'runs', 'digits'))).toEqual([
    'flow-matching-seed-0',
    'flow-matching-seed-1',
    'improved-meanflow-seed-0',
    'improved-meanflow-seed-1',
    'meanflow-seed-0',
    'meanflow-seed-1',
  ]);
  const grid = decode(await readFile(folder.path('out', 'digits-meanflow-1-nfe.png')));
  expect([grid.width, grid.height]).toEqual([502, 502]);
});

it('trains every method alike, and says so', () => {
  for (const { configs, methods } of results.datasets) {
    expect(methods.map(({ method }) => method)).toEqual(['flow-matching', 'meanflow', 'improved-meanflow']);
    const shared = Object.values(configs).map((config) => {
      const { steps, batch, seed, optimizer } = config as Record<string, unknown>;
      return { steps, batch, seed, optimizer };
    });
    expect(shared[1]).toEqual(shared[0]);
    expect(shared[2]).toEqual(shared[0]);
    expect(shared[0]).toMatchObject({ steps, batch, seed: 0 });
  }
});

it('judges at the NFE of the recipe as the sampler counted them, at each seed', () => {
  const [checkerboard, digits] = results.datasets;
  const evaluations = (dataset: typeof checkerboard) =>
    dataset.methods.map(({ sampling }) => sampling.map(({ nfe }) => nfe));
  expect(evaluations(checkerboard)).toEqual([[1, 2, 4, 64], [1, 2, 4], [1, 2, 4]]); // prettier-ignore
  expect(evaluations(digits)).toEqual([[1, 2, 4, 50], [1, 2, 4], [1, 2, 4]]); // prettier-ignore
  for (const { floor, methods } of results.datasets) {
    for (const row of [floor, ...methods.flatMap(({ sampling }) => sampling.map(({ metrics }) => metrics))]) {
      for (const { median, values } of Object.values(row)) {
        expect(values).toHaveLength(2);
        expect(median).toBeCloseTo((values[0] + values[1]) / 2, 12);
      }
    }
  }
  expect(digits.floor['neighbour-distance-ratio'].median).toBe(1);
});

it('prints a table for each data set, the time and where the report is', () => {
  expect(outcome.out).toMatch(
    /checkerboard\nA short run: .*\n +NFE [\s\S]*noise floor[\s\S]*digits\nA short run: .*\n +NFE [\s\S]*noise floor/,
  );
  expect(outcome.out).toContain(`Report: ${folder.path('out', 'report.html')}`);
  expect(outcome.out).toMatch(/Training and judging took [\d.]+ s/);
});

it('makes a report that needs nothing else, of moderate size', async () => {
  const path = folder.path('out', 'report.html');
  expect((await stat(path)).size).toBeLessThan(5e6);
  const html = await readFile(path, 'utf8');
  expect(html.match(/<table>/g)).toHaveLength(2);
  expect(html.match(/noise floor: data against data/g)).toHaveLength(2);
  expect(html.match(/class="chart"/g)).toHaveLength(2);
  // 10 panels of samples, 3 of trajectories and the data; as many grids of images, and 3 of them enlarged.
  expect(html.match(/class="panel"/g)).toHaveLength(14);
  expect(html.match(/<img [^>]*src="data:image\/png;base64,/g)).toHaveLength(17);
});

it('can be repeated: the same seed gives the same numbers', async () => {
  const config = await writeJson(folder.path('again.json'), { recipes: { checkerboard: small } });
  const args = ['--config', config, '--data', 'checkerboard', '--method', 'meanflow'];
  await succeed('compare', ...args, '--jobs', '1', '--out', folder.path('again'));
  const again: ComparisonResults = JSON.parse(await readFile(folder.path('again', 'results.json'), 'utf8'));
  const first = results.datasets[0].methods[1].sampling[0].metrics;
  const second = again.datasets[0].methods[0].sampling[0].metrics;
  for (const [name, { values }] of Object.entries(second)) expect(values[0]).toBe(first[name].values[0]);
});
