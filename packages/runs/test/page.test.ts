/** The library in a page: it bundles without Node, and opens and samples a model from a Blob. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { referenceBackend } from '@meanflow/core';
import { openModel } from '../src/index.js';
import { saveModel, trainRun } from '../src/node.js';
import { tiny } from './support/tiny.js';

/** A page's program. */
const program = `
import { referenceBackend } from '@meanflow/core';
import { openModel } from '@meanflow/runs';
export async function samplesOf(blob) {
  const model = await openModel(blob);
  const { values } = await model.sample({ count: 2, class: 1, seed: 4, backend: referenceBackend() });
  return Array.from(values.data);
}`;

const bundle = (contents: string) =>
  build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    ...{
      bundle: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      write: false,
      logLevel: 'silent',
    },
    conditions: ['@meanflow/source', 'browser'],
  });

it('bundles for a browser, and opens there what was trained here', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'meanflow-page-'));
  try {
    const backend = referenceBackend();
    const run = await trainRun({ ...tiny, steps: 1 }, { folder: join(folder, 'run'), backend });
    const model = await run.model();
    await saveModel(model, join(folder, 'model.safetensors'));
    const { outputFiles } = await bundle(program);
    const page = join(folder, 'page.mjs');
    await writeFile(page, outputFiles[0]!.text);
    const { samplesOf } = (await import(page)) as { samplesOf(blob: Blob): Promise<number[]> };
    const blob = new Blob([new Uint8Array(await readFile(join(folder, 'model.safetensors')))]);
    const { values } = await model.sample({ count: 2, class: 1, seed: 4, backend });
    expect(await samplesOf(blob)).toEqual(Array.from(values.data));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it.each(['https://example.org/model.safetensors', null, {}])(
  'refuses %p as a source, and says what to give',
  async (source) => {
    await expect(openModel(source as unknown as Blob)).rejects.toThrow(
      /opened from a URL, a Blob or bytes, got .*new URL/,
    );
  },
);

it('would say so if it needed Node', async () => {
  await expect(bundle("export * from '@meanflow/runs/node'")).rejects.toThrow(/Could not resolve "fs"/);
});
