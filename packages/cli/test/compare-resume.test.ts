/** `compare --resume`: what an interrupt or a failure left is gone on with, and ends with the numbers of a comparison never stopped. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { ComparisonResults } from '@meanflow/runs/node';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { start, type Started } from './support/process.js';
import { tinyConfig, writeJson } from './support/tiny.js';

const folder = temporaryFolder();

const { batch, network, evaluation } = tinyConfig;
const steps = 400;

/** In a process of its own, whose workers then run from source too. */
function resume(out: string, ...options: string[]): Started['end'] {
  return start(['compare', '--resume', folder.path(out), ...options]).end;
}

async function configFile(): Promise<string> {
  const recipes = { checkerboard: { steps, batch, network, evaluation } };
  return writeJson(folder.path('config.json'), { data: ['checkerboard'], recipes });
}

async function results(out: string): Promise<ComparisonResults> {
  return JSON.parse(await readFile(folder.path(out, 'results.json'), 'utf8')) as ComparisonResults;
}

async function numbers(out: string): Promise<unknown> {
  return (await results(out)).datasets.map(({ floor, methods }) => [
    floor,
    methods.map(({ sampling, losses }) => [sampling, losses]),
  ]);
}

it('ends with the numbers of a comparison that was never stopped', async () => {
  const config = await configFile();
  const begin = (out: string) =>
    start(['compare', '--config', config, '--jobs', '1', '--out', folder.path(out)]);
  expect(await begin('whole').end).toMatchObject({ status: 0 });

  // Stopped in the second run: the first is finished, the third has not begun.
  const { child, end } = begin('parts');
  const log = folder.path('parts', 'runs', 'checkerboard', 'meanflow-seed-0', 'metrics.jsonl');
  while (!existsSync(log) && child.exitCode === null) await setTimeout(20);
  child.kill('SIGINT');
  const stopped = await end;
  expect(stopped.status).toBe(130);
  expect(stopped.err).toContain(`npx meanflow compare --resume ${folder.path('parts')}`);
  const first = folder.path('parts', 'runs', 'checkerboard', 'flow-matching-seed-0', 'metrics.jsonl');
  const made = await readFile(first, 'utf8');

  const resumed = await resume('parts', '--jobs', '2');
  expect(resumed).toMatchObject({ status: 0 });
  expect(await numbers('parts')).toEqual(await numbers('whole'));
  // Not trained again, which would have changed its speeds.
  expect(await readFile(first, 'utf8')).toBe(made);
  const { command, datasets } = await results('parts');
  expect(command).toContain(`--config ${config}`);
  for (const { seconds } of datasets[0].methods) expect(seconds[0]).toBeGreaterThan(0);
}, 240_000);

it('judges again what was finished, and changes nothing', async () => {
  const before = await numbers('whole');
  await succeed('compare', '--resume', folder.path('whole'), '--jobs', '1');
  expect(await numbers('whole')).toEqual(before);
});

it('keeps what it was begun with', async () => {
  const outcome = await meanflow('compare', '--resume', folder.path('whole'), '--steps', '500');
  expect(outcome).toMatchObject({ status: 2 });
  expect(outcome.err).toContain('--steps cannot change with --resume');
});

it('refuses runs that are not of this comparison', async () => {
  const request = folder.path('whole', 'comparison.json');
  const text = await readFile(request, 'utf8');
  await writeFile(request, text.replace(`"steps": ${steps}`, '"steps": 500'));
  const outcome = await meanflow('compare', '--resume', folder.path('whole'), '--jobs', '1');
  await writeFile(request, text);
  expect(outcome).toMatchObject({ status: 1 });
  expect(outcome.err).toMatch(/holds a run with another steps than this comparison/);
});

it('goes on from the checkpoint before a damaged one and says so, and from none of another run', async () => {
  const runs = folder.path('whole', 'runs', 'checkerboard');
  const own = join(runs, 'meanflow-seed-0', 'final.safetensors');
  const bytes = await readFile(own);
  await writeFile(own, await readFile(join(runs, 'flow-matching-seed-0', 'final.safetensors')));
  const foreign = await meanflow('compare', '--resume', folder.path('whole'), '--jobs', '1');
  expect(foreign).toMatchObject({ status: 1 });
  expect(foreign.err).toMatch(/MeanFlow.*failed, .*final\.safetensors" does not belong to this run/);

  await mkdir(join(runs, 'meanflow-seed-0', 'checkpoints'), { recursive: true });
  await writeFile(join(runs, 'meanflow-seed-0', 'checkpoints', 'step-00000400.safetensors'), bytes);
  for (const jobs of ['1', '2']) {
    await writeFile(own, bytes.subarray(0, 100));
    const { err } = await resume('whole', '--jobs', jobs);
    expect(err).toMatch(/checkerboard, MeanFlow, seed 0: warning: .*final\.safetensors" is not an intact/);
    expect(err).toContain('Step 400 is used instead');
  }
  await writeFile(own, bytes);
}, 240_000);

it.each([
  [undefined, /holds no comparison: there is no comparison\.json in it/],
  ['{', /is not JSON|not valid JSON/],
  ['{ "format": "meanflow-comparison-request", "version": 2 }', /version/],
])('a folder with %j in place of a comparison is an error', async (content, message) => {
  const path = folder.path('other');
  await mkdir(path, { recursive: true });
  if (content !== undefined) await writeFile(folder.path('other', 'comparison.json'), content);
  const outcome = await meanflow('compare', '--resume', path);
  expect(outcome).toMatchObject({ status: 1 });
  expect(outcome.err).toMatch(message);
});
