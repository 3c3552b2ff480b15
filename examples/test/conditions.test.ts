/** The examples with conditions, in a short form: what is given shows in what is drawn. */
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runExample } from './run-example.js';

test('wines: drawn for the right columns they are nearer to the data than for those of others, or for none', async () => {
  const { exports, printed } = await runExample(() => import('../wine-given.js'), ['500']);
  const { distance, error } = exports;
  expect(distance.given).toBeLessThan(distance.shuffled);
  expect(distance.given).toBeLessThan(distance.nothing);
  expect(error.given).toBeLessThan(0.9 * error.shuffled);
  expect(printed).toHaveLength(2);
});

test('digits: hidden pixels are drawn for the known ones', async () => {
  const file = join(tmpdir(), `inpainted-${process.pid}.png`);
  try {
    const { exports } = await runExample(() => import('../inpaint-digits.js'), ['120', file]);
    const { results } = exports;
    expect(results['one step']!.error).toBeLessThan(results['shuffled conditions']!.error);
    expect(results.truth).toMatchObject({ error: 0 });
    expect(results.truth!.accuracy).toBeGreaterThan(0.8);
    expect((await readFile(file)).subarray(1, 4).toString()).toBe('PNG');
  } finally {
    await rm(file, { force: true });
  }
});
