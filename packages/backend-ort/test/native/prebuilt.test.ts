/** The prebuilt libraries are of the sources beside them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { numberOf, type Operation } from '../../src/native/fused/operations.js';

const native = join(import.meta.dirname, '..', '..', 'native');

interface Build {
  readonly digestFile: string;
  readonly digestOfSources: () => string;
}

test('were built from the present sources', async () => {
  const { digestFile, digestOfSources } = (await import(join(native, 'build.mjs'))) as Build;
  const built = (await readFile(digestFile, 'utf8')).trim();
  // Otherwise `npm run kernels` builds them anew.
  expect(built).toBe(digestOfSources());
});

test('have the operations that the encoder numbers', async () => {
  const header = await readFile(join(native, 'operations.h'), 'utf8');
  const [, list = ''] = /#define OPERATIONS\(O\)([^]*?)\n\n/.exec(header) ?? [];
  const names = [...list.matchAll(/O\((\w+), [123]\)/g)].map(([, name]) => name as Operation);
  expect(names.length).toBeGreaterThan(50);
  expect(names.map(numberOf)).toEqual(names.map((_, i) => i));
});
