/** A whole training by code: the run is in its folder, and its model, saved alone, draws the same samples. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runExample } from './run-example.js';

test('trains, samples a class, saves the model and opens it again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'meanflow-example-'));
  try {
    const { exports, printed } = await runExample(
      () => import('../run-by-code.js'),
      ['3', join(folder, 'run')],
    );
    const { samples, again } = exports;
    expect(samples.values.shape).toEqual([16, 8, 8, 1]);
    expect([...new Set(samples.labels?.data)]).toEqual([7]);
    expect(samples.values.data.every(Number.isFinite)).toBe(true);
    expect(again.values.data).toEqual(samples.values.data);
    expect(printed[0]).toMatch(/^3 steps in /);
    expect((await readdir(folder)).sort()).toEqual(['run', 'run.safetensors']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('the README shows this very program', async () => {
  const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');
  expect(await read('../../README.md')).toContain(`\`\`\`ts\n${await read('../run-by-code.ts')}\`\`\``);
});
