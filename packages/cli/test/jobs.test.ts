/** `compare` with runs side by side, each in a process of its own: the same numbers as one after another. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { ComparisonResults } from '../src/index.js';
import { temporaryFolder } from './support/cli.js';
import { tinyConfig, writeJson } from './support/tiny.js';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const folder = temporaryFolder();

/** Runs `compare` from source in a process of its own, whose children are then run from source too. */
async function compare(...args: string[]): Promise<{ status: number | null; err: string }> {
  const loader = [
    '--conditions',
    '@meanflow/source',
    '--import',
    at('../../../scripts/typescript-loader.mjs'),
  ];
  const child = spawn(process.execPath, [...loader, at('../src/main.ts'), 'compare', ...args]);
  let err = '';
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  child.stdout.resume();
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, err };
}

async function configFile(name: string, changes: object): Promise<string> {
  const { steps, batch, network, evaluation } = tinyConfig;
  const recipe = { steps, batch, network, evaluation, ...changes };
  return writeJson(folder.path(name), { data: ['checkerboard'], recipes: { checkerboard: recipe } });
}

async function scores(out: string): Promise<unknown> {
  const results = JSON.parse(await readFile(folder.path(out, 'results.json'), 'utf8')) as ComparisonResults;
  return results.datasets.map(({ floor, methods }) => [
    floor,
    methods.map(({ sampling, losses }) => [sampling, losses]),
  ]);
}

it('gives the same results whatever the number of jobs', async () => {
  const config = await configFile('config.json', {});
  for (const jobs of ['1', '2']) {
    const outcome = await compare('--config', config, '--jobs', jobs, '--out', folder.path(`jobs-${jobs}`));
    expect(outcome).toMatchObject({ status: 0 });
  }
  expect(await scores('jobs-2')).toEqual(await scores('jobs-1'));
});

it('ends with the message of the run that failed, and leaves no process behind', async () => {
  const rates = { optimizer: { learningRate: 1e30, schedule: 'constant', warmUpSteps: 0 } };
  const config = await configFile('diverging.json', { ...rates, steps: 50 });
  const outcome = await compare('--config', config, '--jobs', '2', '--out', folder.path('failed'));
  expect(outcome.status).toBe(1);
  expect(outcome.err).toMatch(/The loss at step \d+ is .*diverged/);
});
