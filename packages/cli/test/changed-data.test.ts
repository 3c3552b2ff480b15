/** A CSV file that changes after training: what needs it says so, what does not goes on. */
import { appendFile, copyFile, readFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { tinyConfig, writeJson } from './support/tiny.js';

const folder = temporaryFolder();
const original = fileURLToPath(new URL('data/points.csv', import.meta.url));
let data = '';
let run = '';

beforeAll(async () => {
  data = folder.path('rows.csv');
  run = folder.path('run');
  await copyFile(original, data);
  const evaluation = { samples: 20, metrics: ['sliced-wasserstein-2'] };
  const config = await writeJson(folder.path('config.json'), { ...tinyConfig, evaluation, data });
  await succeed('train', '--config', config, '--out', run);
  await appendFile(data, '1,2\n');
});

it('the run knows its file by its digest', async () => {
  const { digest } = JSON.parse(await readFile(folder.path('run', 'config.json'), 'utf8'));
  expect(digest).toBe(
    createHash('sha256')
      .update(await readFile(original))
      .digest('hex'),
  );
});

it.each([
  ['evaluate', () => ['evaluate', run]],
  ['train --resume', () => ['train', '--resume', run, '--steps', '8']],
])('%s refuses the changed file, and says how to go on', async (_, args) => {
  const outcome = await meanflow(...args());
  expect(outcome).toMatchObject({ status: 1, out: '' });
  expect(outcome.err).toMatch(
    /rows\.csv" has changed since the run began: its SHA-256 is [0-9a-f]{16}….*Put the former file back/,
  );
});

it('samples need no data', async () => {
  const { out } = await succeed('sample', run, '--count', '2', '--out', '-');
  expect(out.trim().split('\n')).toHaveLength(3);
});

it('goes on as the message says: anew on the file as it is, or with the former one', async () => {
  const again = folder.path('again');
  await succeed('train', '--config', folder.path('run', 'config.json'), '--out', again);
  await succeed('evaluate', again);
  await copyFile(original, data);
  await succeed('evaluate', run);
  await succeed('train', '--resume', run, '--steps', '8');
  expect((await meanflow('evaluate', again)).err).toContain('has changed since the run began');
});
