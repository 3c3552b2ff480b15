/** `compare` with runs side by side, each in a process of its own: the same numbers as one after another. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ComparisonResults } from '../src/index.js';
import { temporaryFolder } from './support/cli.js';
import { tinyConfig, writeJson } from './support/tiny.js';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const folder = temporaryFolder();

interface Outcome {
  readonly status: number | null;
  readonly err: string;
}

/** Starts `compare` from source in a process of its own, whose children are then run from source too. */
function start(...args: string[]): { readonly child: ChildProcess; readonly end: Promise<Outcome> } {
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
  // Streams are closed when the last process that writes to them has ended, workers included.
  const end = once(child, 'close').then(([status]) => ({ status: status as number | null, err }));
  return { child, end };
}

function compare(...args: string[]): Promise<Outcome> {
  return start(...args).end;
}

/** Waits until a run has logged its first step, or the command has ended. */
async function underWay(child: ChildProcess, out: string): Promise<void> {
  const log = folder.path(out, 'runs', 'checkerboard', 'flow-matching-seed-0', 'metrics.jsonl');
  while (!existsSync(log) && child.exitCode === null) await setTimeout(50);
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

it('stops with checkpoints at an interrupt', async () => {
  const config = await configFile('long.json', { steps: 1_000_000 });
  const { child, end } = start('--config', config, '--jobs', '2', '--out', folder.path('stopped'));
  await underWay(child, 'stopped');
  child.kill('SIGINT');
  const outcome = await end;
  expect(outcome.status).toBe(130);
  expect(outcome.err).toContain('Stopped. What was trained is in');
  const run = folder.path('stopped', 'runs', 'checkerboard', 'flow-matching-seed-0');
  expect(await readdir(run)).not.toContain('.lock');
  expect(await readdir(join(run, 'checkpoints'))).toHaveLength(1);
});

it('leaves no process behind when it is killed', async () => {
  const config = await configFile('endless.json', { steps: 1_000_000 });
  const { child, end } = start('--config', config, '--jobs', '2', '--out', folder.path('killed'));
  await underWay(child, 'killed');
  child.kill('SIGKILL');
  expect((await end).err).not.toContain('ERR_IPC_CHANNEL_CLOSED');
});
