/** `compare` with runs side by side, each in a process of its own: the same numbers as one after another. */
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { ComparisonResults } from '@meanflow/runs/node';
import { temporaryFolder } from './support/cli.js';
import { start, type Started } from './support/process.js';
import { tinyConfig, writeJson } from './support/tiny.js';

const folder = temporaryFolder();

function compare(...args: string[]): Started['end'] {
  return start(['compare', ...args]).end;
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
}, 120_000);

/** Times embedded with so high a frequency that it is infinite in float32: MeanFlow's loss is NaN, the others train. */
const broken = {
  methods: { meanflow: { network: { embedding: { kind: 'sinusoidal', dimension: 2, scale: 1e39 } } } },
};

it.each(['1', '2'])('keeps what succeeded when a run fails, with %s jobs', async (jobs) => {
  const config = await configFile('broken.json', broken);
  const out = `broken-${jobs}`;
  const outcome = await compare(
    '--config',
    config,
    '--seeds',
    '0,1',
    '--jobs',
    jobs,
    '--out',
    folder.path(out),
  );
  expect(outcome.status).toBe(1);
  expect(outcome.err).toContain(
    '2 of 6 runs failed:\ncheckerboard, MeanFlow, seed 0: error: The loss at step 1 is',
  );
  expect(outcome.out).toMatch(/Flow matching +1 [\s\S]*Improved MeanFlow +1 [\s\S]*noise floor/);
  const results = JSON.parse(await readFile(folder.path(out, 'results.json'), 'utf8')) as ComparisonResults;
  expect(results.datasets[0].methods.map(({ method, seeds }) => [method, seeds])).toEqual([
    ['flow-matching', [0, 1]],
    ['improved-meanflow', [0, 1]],
  ]);
  expect(results.failed).toEqual(
    [0, 1].map((seed) =>
      expect.objectContaining({
        dataset: 'checkerboard',
        method: 'meanflow',
        seed,
        message: expect.stringContaining('diverged'),
      }),
    ),
  );
  expect(await readFile(folder.path(out, 'report.html'), 'utf8')).toContain('2 runs failed');
});

it('when every run fails there is no report, and no process is left behind', async () => {
  const rates = { optimizer: { learningRate: 1e30, schedule: 'constant', warmUpSteps: 0 } };
  const config = await configFile('diverging.json', { ...rates, steps: 50 });
  const outcome = await compare('--config', config, '--jobs', '2', '--out', folder.path('failed'));
  expect(outcome.status).toBe(1);
  expect(outcome.err).toMatch(/3 of 3 runs failed:\n[\s\S]*The loss at step \d+ is .*diverged/);
  expect(await readdir(folder.path('failed'))).toEqual(['comparison.json', 'runs']);
});

it('loses no other run with a process that is killed', async () => {
  const config = await configFile('lost.json', { steps: 300 });
  const { child, end } = start(['compare', '--config', config, '--jobs', '2', '--out', folder.path('lost')]);
  await underWay(child, 'lost');
  const lock = JSON.parse(
    await readFile(
      folder.path('lost', 'runs', 'checkerboard', 'flow-matching-seed-0', '.meanflow-lock'),
      'utf8',
    ),
  ) as { pid: number };
  process.kill(lock.pid, 'SIGKILL');
  const outcome = await end;
  expect(outcome.status).toBe(1);
  expect(outcome.err).toContain(
    '1 of 3 runs failed:\ncheckerboard, Flow matching, seed 0: error: A process that trained was ended by SIGKILL',
  );
  const results = JSON.parse(
    await readFile(folder.path('lost', 'results.json'), 'utf8'),
  ) as ComparisonResults;
  expect(results.datasets[0].methods.map(({ method }) => method)).toEqual(['meanflow', 'improved-meanflow']);
});

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('stops with checkpoints at %s, which its workers hear too', async (name, status) => {
  const config = await configFile('long.json', { steps: 1_000_000 });
  const out = `stopped-${name}`;
  const { child, end } = start(['compare', '--config', config, '--jobs', '2', '--out', folder.path(out)]);
  await underWay(child, out);
  const run = folder.path(out, 'runs', 'checkerboard', 'flow-matching-seed-0');
  const worker = JSON.parse(await readFile(join(run, '.meanflow-lock'), 'utf8')) as { pid: number };
  expect(worker.pid).not.toBe(child.pid);
  process.kill(worker.pid, name);
  child.kill(name);
  const outcome = await end;
  expect(outcome.status).toBe(status);
  expect(outcome.err).toContain('Stopped. Go on with: npx meanflow compare --resume');
  expect(await readdir(run)).not.toContain('.meanflow-lock');
  expect(await readdir(join(run, 'checkpoints'))).toHaveLength(1);
});

it.each(['1', '2'])('hears an interrupt while it judges, with %s jobs', async (jobs) => {
  // Many samples and few steps: soon after training, and for long, it judges.
  const config = await configFile('judging.json', {
    steps: 1,
    evaluation: { ...tinyConfig.evaluation, samples: 30_000 },
  });
  const out = `judging-${jobs}`;
  const methods = ['--method', jobs === '1' ? 'meanflow' : 'meanflow,flow-matching'];
  const { child, end } = start([
    'compare',
    '--config',
    config,
    ...methods,
    '--jobs',
    jobs,
    '--out',
    folder.path(out),
  ]);
  const trained = folder.path(out, 'runs', 'checkerboard', 'meanflow-seed-0', 'final.safetensors');
  while (!existsSync(trained) && child.exitCode === null) await setTimeout(20);
  child.kill('SIGINT');
  const outcome = await end;
  expect(outcome.status).toBe(130);
  expect(outcome.err).toContain('Stopped. Go on with: npx meanflow compare --resume');
  expect(existsSync(folder.path(out, 'results.json'))).toBe(false);
});

it('leaves no process behind when it is killed', async () => {
  const config = await configFile('endless.json', { steps: 1_000_000 });
  const { child, end } = start([
    'compare',
    '--config',
    config,
    '--jobs',
    '2',
    '--out',
    folder.path('killed'),
  ]);
  await underWay(child, 'killed');
  child.kill('SIGKILL');
  expect((await end).err).not.toContain('ERR_IPC_CHANNEL_CLOSED');
});
