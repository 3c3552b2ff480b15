/** The README's example: it runs, draws in one evaluation, and training brings the samples nearer to the data. */
import { readFile } from 'node:fs/promises';
import { runExample } from './run-example.js';

const load = () => import('../one-step.js');

test('a short training brings one-step samples nearer to the data', async () => {
  const untrained = await runExample(load, ['1']);
  const trained = await runExample(load, ['500']);
  const { result, distance } = trained.exports;
  expect(result.nfe).toBe(1);
  expect(result.samples.shape).toEqual([5000, 2]);
  expect(result.samples.data.every(Number.isFinite)).toBe(true);
  expect(distance).toBeLessThan(untrained.exports.distance / 2);
  expect(trained.printed[0]).toBe(`Sliced Wasserstein-2 at 1 NFE: ${distance.toFixed(3)}`);
});

test('the README shows this very program', async () => {
  const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');
  const blocks = Array.from(
    (await read('../../README.md')).matchAll(/```ts\n(.*?)```/gs),
    ([, code]) => code,
  );
  expect(blocks).toContain(await read('../one-step.ts'));
});
