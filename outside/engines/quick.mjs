/** The tests of the runners without a runner, one after the other, and what engines do in ways of their own. */
import assert from 'node:assert';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plainBackend } from '@meanflow/backend-plain';
import { describeConformance } from '@meanflow/conformance';
import { acquireLock } from '@meanflow/training/node';
import { filter } from './kit.mjs';
import { libraryTests } from './library.mjs';

const tests = [];
const test = (name, body) => tests.push({ name, body });
libraryTests(test);
describeConformance(() => plainBackend(), {
  describe: (_name, define) => define(),
  test,
  afterAll: (body) => test('the end', body),
  filter,
});
test('a folder is locked against a second trainer', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lock-'));
  const path = join(folder, 'lock');
  const lock = await acquireLock(path, 'The folder');
  await assert.rejects(acquireLock(path, 'The folder'), /in use by process/);
  await lock.release();
  await (await acquireLock(path, 'The folder')).release();
  rmSync(folder, { recursive: true });
});

for (const { name, body } of tests) {
  await body().catch((cause) => {
    throw new Error(`"${name}" failed.`, { cause });
  });
}
const engine = globalThis.navigator?.userAgent ?? `Node ${process.version}`;
console.log(`${tests.length} tests on ${engine}`);
