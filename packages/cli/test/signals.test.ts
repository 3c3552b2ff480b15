/** A training run that is told to stop, in all the ways in which that is said, and one that nobody listens to. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { succeed, temporaryFolder } from './support/cli.js';
import { start, startProgram, type Started } from './support/process.js';
import { tinyConfig, writeJson } from './support/tiny.js';

const folder = temporaryFolder();

/** A run that is under way. */
async function begin(out: string, steps: number): Promise<Started> {
  const config = await writeJson(folder.path(`${out}.json`), {
    ...tinyConfig,
    steps,
    checkpointEvery: steps,
  });
  const started = start(['train', '--config', config, '--out', folder.path(out)]);
  const metrics = folder.path(out, 'metrics.jsonl');
  while (started.child.exitCode === null && !(existsSync(metrics) && (await readFile(metrics)).length > 0)) {
    await sleep(20);
  }
  return started;
}

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s saves, and ends with status %d', async (name, status) => {
  const { child, end } = await begin(name, 1_000_000);
  child.kill(name);
  // What npm or a shell passes on as well is the same request.
  child.kill(name);
  const outcome = await end;
  expect(outcome).toMatchObject({ status, signal: null });
  expect(outcome.out).toContain('Go on with: npx meanflow train --resume');
  expect(await readdir(folder.path(name, 'checkpoints'))).toHaveLength(1);
  expect(await readdir(folder.path(name))).not.toContain('.meanflow-lock');
});

it.each([
  ['SIGTERM', 'SIGHUP', 129],
  ['SIGINT', 'SIGINT', 130],
] as const)('%s and a later %s end at once what does not stop', async (first, second, status) => {
  const { child, end } = startProgram('stubborn.ts');
  const said = createInterface(child.stdout!)[Symbol.asyncIterator]();
  expect(await said.next()).toMatchObject({ value: 'begun' });
  child.kill(first);
  expect(await said.next()).toMatchObject({ value: 'asked' });
  await sleep(300);
  child.kill(second);
  expect(await end).toMatchObject({ status, signal: null });
});

it('goes on to its end when nobody reads what it says', async () => {
  const config = await writeJson(folder.path('unheard.json'), { ...tinyConfig, steps: 200 });
  const { child } = start(['train', '--config', config, '--out', folder.path('unheard')]);
  child.stdout!.destroy();
  child.stderr!.destroy();
  const [status] = (await once(child, 'exit')) as [number | null];
  expect(status).toBe(0);
  expect(await readdir(folder.path('unheard'))).toContain('final.safetensors');
  await succeed('info', folder.path('unheard'));
});
