/** Runs whose data are somewhere else than when they began. */
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { RunConfig } from '@meanflow/runs/node';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { start } from './support/process.js';
import { tinyConfig, writeJson } from './support/tiny.js';

const folder = temporaryFolder();
const original = fileURLToPath(new URL('data/points.csv', import.meta.url));

/** A run on rows.csv beside it. */
async function begin(name: string): Promise<{ data: string; run: string }> {
  const [data, run] = [folder.path(name, 'rows.csv'), folder.path(name, 'run')];
  await mkdir(folder.path(name));
  await copyFile(original, data);
  const evaluation = { samples: 20, metrics: ['sliced-wasserstein-2'] };
  const config = await writeJson(folder.path(`${name}.json`), { ...tinyConfig, evaluation, data });
  await succeed('train', '--config', config, '--out', run);
  return { data, run };
}

const configOf = async (run: string) => JSON.parse(await readFile(`${run}/config.json`, 'utf8')) as RunConfig;

it('a run keeps the path as it was given, the whole path, and the way from its folder', async () => {
  const { data, run } = await begin('kept');
  expect(await configOf(run)).toMatchObject({ data, dataPaths: { absolute: data, fromRun: '../rows.csv' } });
  // Where it lies says nothing of what was trained.
  expect(await readFile(`${run}/final.safetensors`, 'latin1')).not.toContain('dataPaths');
});

it('a folder of run and data is moved', async () => {
  const { run } = await begin('before');
  await rename(folder.path('before'), folder.path('after'));
  const moved = run.replace('before', 'after');
  await succeed('evaluate', moved);
  await succeed('evaluate', `${moved}/final.safetensors`);
  await succeed('train', '--resume', moved, '--steps', '8');
  expect((await configOf(moved)).dataPaths).toMatchObject({ absolute: folder.path('after', 'rows.csv') });
});

it('a path from a working folder is found from another one', async () => {
  await mkdir(folder.path('work'));
  await copyFile(original, folder.path('work', 'rows.csv'));
  const config = {
    ...tinyConfig,
    evaluation: { samples: 20, metrics: ['sliced-wasserstein-2'] },
    data: 'rows.csv',
  };
  await writeJson(folder.path('work', 'c.json'), config);
  const { end } = start(['train', '--config', 'c.json', '--out', 'run'], {}, folder.path('work'));
  expect(await end).toMatchObject({ status: 0 });
  expect(await configOf(folder.path('work', 'run'))).toMatchObject({ data: 'rows.csv' });
  await succeed('evaluate', folder.path('work', 'run'));
  await succeed('train', '--resume', folder.path('work', 'run'), '--steps', '8');
});

it('--data names the same data elsewhere, and no other', async () => {
  const { data, run } = await begin('named');
  const elsewhere = folder.path('elsewhere.csv');
  await rename(data, elsewhere);
  for (const command of [
    ['evaluate', run],
    ['train', '--resume', run, '--steps', '9'],
  ]) {
    const lost = await meanflow(...command);
    expect(lost.status).toBe(1);
    expect(lost.err).toMatch(/are not where they were: [^]*rows\.csv[^]* Say where they are with --data\./);
    await succeed(...command, '--data', elsewhere);
  }
  // From then on it is known.
  await succeed('evaluate', run);
  const other = folder.path('other.csv');
  await writeFile(other, `${await readFile(original, 'utf8')}1,2\n`);
  for (const command of [
    ['evaluate', run],
    ['train', '--resume', run, '--steps', '10'],
  ]) {
    const refused = await meanflow(...command, '--data', other);
    expect(refused.status).toBe(1);
    expect(refused.err).toMatch(
      /other\.csv" is not what the run was trained on: its SHA-256 is [0-9a-f]{16}…, that of/,
    );
    const named = await meanflow(...command, '--data', 'two-moons');
    expect(named).toMatchObject({ status: 2 });
    expect(named.err).toContain('keeps its data: "two-moons" is not that');
  }
});
