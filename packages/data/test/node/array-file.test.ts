/** What is called by its name where a file of arrays is expected. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readArrayFile } from '../../src/node.js';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'meanflow-arrays-'));
});
afterAll(() => rm(root, { recursive: true }));

it.each(['npz', 'npy', 'safetensors', 'pt'])('calls what stands in for an %s by its name', async (ending) => {
  const file = join(root, `latents.${ending}`);
  await writeFile(file, 'version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 1234\n');
  await expect(readArrayFile(file, {}, undefined)).rejects.toThrow(`${file}: it is a Git LFS pointer`);
  await writeFile(file, '<!DOCTYPE html><html><head><title>Sign in</title></head></html>');
  await expect(readArrayFile(file, {}, undefined)).rejects.toThrow(`${file}: it is a web page`);
});
