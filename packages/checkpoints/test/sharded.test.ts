/** Models in several files: by their index, by the folder, by one of them. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hostArray } from '@meanflow/core';
import { encodeSafetensors, readTensor, type Catalogue } from '@meanflow/formats';
import { openCheckpoint } from '../src/node.js';
import { bytesOf, op, pickle, tensor, torchFile } from './support/build.js';
import { withFolder } from './support/folder.js';

const shard = (name: string, value: number): Uint8Array =>
  encodeSafetensors({ [name]: hostArray([value]) }, {});
const torchShard = (name: string): Uint8Array => torchFile(pickle('}', op.text(name), tensor([4], [1]), 's'));
const index = (map: Readonly<Record<string, string>>): string =>
  JSON.stringify({ metadata: {}, weight_map: map });

const write = async (
  folder: string,
  files: Readonly<Record<string, Uint8Array | string>>,
): Promise<string> => {
  const path = join(folder, 'model');
  await mkdir(path);
  for (const [name, content] of Object.entries(files)) await writeFile(join(path, name), content);
  return path;
};

const valuesOf = async ({ tensors }: Catalogue): Promise<Record<string, readonly number[]>> =>
  Object.fromEntries(
    await Promise.all(
      tensors.map(async (each) => [each.name, [...(await readTensor(each)).data].map(Number)] as const),
    ),
  );

const [first, second] = ['model-00001-of-00002', 'model-00002-of-00002'];

describe.each([
  ['safetensors', '.safetensors', shard('a', 1), shard('b', 2), { a: [1], b: [2] }],
  ['PyTorch', '.bin', torchShard('a'), torchShard('b'), { a: [1, 2, 3, 4], b: [1, 2, 3, 4] }],
] as const)('%s in two files', (format, ending, one, two, values) => {
  const files = { [`${first}${ending}`]: one, [`${second}${ending}`]: two, 'config.json': '{}' };
  const map = { a: `${first}${ending}`, b: `${second}${ending}` };

  test('with an index: by the folder, the index or one of them', () =>
    withFolder(async (folder) => {
      const path = await write(folder, { ...files, [`model${ending}.index.json`]: index(map) });
      for (const given of ['', `model${ending}.index.json`, `${second}${ending}`]) {
        const catalogue = await openCheckpoint(join(path, given));
        expect(catalogue.format).toBe(`${format}, in several files`);
        expect(await valuesOf(catalogue)).toEqual(values);
      }
    }));

  test('without an index: by their names', () =>
    withFolder(async (folder) => {
      const path = await write(folder, files);
      for (const given of ['', `${first}${ending}`])
        expect(await valuesOf(await openCheckpoint(join(path, given)))).toEqual(values);
    }));

  test('of which one is missing', () =>
    withFolder(async (folder) => {
      const path = await write(folder, { [`${first}${ending}`]: one });
      await expect(openCheckpoint(path)).rejects.toThrow(
        new RegExp(`lacks "${second}\\${ending}", one of 2 files of a model`),
      );
      await writeFile(join(path, `model${ending}.index.json`), index(map));
      await expect(openCheckpoint(path)).rejects.toThrow(/00002-of-00002.*there is no such file/);
    }));
});

test('an index of safetensors goes before one of PyTorch', () =>
  withFolder(async (folder) => {
    const path = await write(folder, {
      [`${first}.safetensors`]: shard('a', 1),
      'model.safetensors.index.json': index({ a: `${first}.safetensors` }),
      [`${first}.bin`]: torchShard('a'),
      'model.bin.index.json': index({ a: `${first}.bin` }),
    });
    expect((await openCheckpoint(path)).format).toBe('safetensors, in several files');
  }));

test('keys of the prototype in an index are names like others', () =>
  withFolder(async (folder) => {
    const map =
      '{"weight_map":{"__proto__":"model-00001-of-00001.bin","constructor":"model-00001-of-00001.bin"}}';
    const both = torchFile(pickle('}(', op.text('__proto__'), tensor([4], [1]), op.text('constructor'), tensor([2], [1]), 'u')); // prettier-ignore
    const path = await write(folder, { 'model.bin.index.json': map, 'model-00001-of-00001.bin': both });
    const { tensors } = await openCheckpoint(path);
    expect(tensors.map(({ name }) => name)).toEqual(['__proto__', 'constructor']);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  }));

test('an index that places a tensor in an index is refused', () =>
  withFolder(async (folder) => {
    const path = await write(folder, { 'model.bin.index.json': index({ a: 'model.bin.index.json' }) });
    await expect(openCheckpoint(path)).rejects.toThrow(
      /"model\.bin\.index\.json", which is no file beside it/,
    );
    await writeFile(join(path, 'model.bin.index.json'), bytesOf('[]'));
    await expect(openCheckpoint(path)).rejects.toThrow(/has no "weight_map"/);
  }));
