/** The names that one network is published under: each leads to the same weights, whatever wraps or holds them. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostArray, RandomKey, sizeOf, treePaths, type HostArray } from '@meanflow/core';
import { sdVaeDecoder, type DitConfig, type SongUNetConfig } from '@meanflow/models';
import { publishedBuffers, publishedParameters, publishedSdVaeParameters } from '@meanflow/models/published';
import { encodeSafetensors } from '@meanflow/formats';
import type { ImportModel } from '../src/index.js';
import { importCheckpoint, openDecoder, openModel } from '../src/node.js';
import { withFolder } from './support/folder.js';

const at = (name: string): string => fileURLToPath(new URL(`data/${name}`, import.meta.url));

const dit: DitConfig = { kind: 'dit', featureShape: [4, 4, 4], patchSize: 2, width: 8, depth: 1, heads: 2, classCount: 3 }; // prettier-ignore
const unet: SongUNetConfig = {
  kind: 'song-unet',
  featureShape: [1, 4, 4],
  channels: 4,
  channelMultipliers: [1, 1],
  blocks: 1,
  attentionResolutions: [],
  augmentWidth: 6,
};

type Tensors = Readonly<Record<string, HostArray>>;

/** Different numbers for every tensor. */
const numbers = (seed: number, shape: readonly number[]): HostArray =>
  RandomKey.fromSeed(seed)
    .normal([sizeOf(shape)])
    .reshape(shape);

const torchWeights = (config: DitConfig | SongUNetConfig, rename = (name: string): string => name): Tensors =>
  Object.fromEntries(
    publishedParameters(config, 'torch').map(({ name, shape }, i) => [rename(name), numbers(i, shape)]),
  );

const buffersOf = (config: DitConfig | SongUNetConfig, rename = (name: string): string => name): Tensors =>
  Object.fromEntries(publishedBuffers(config).map(({ name, value }) => [rename(name), value]));

/** The file that an import writes. */
async function imported(
  folder: string,
  tensors: Tensors,
  model: ImportModel,
  average?: string,
): Promise<{ readonly bytes: Buffer; readonly weights: string; readonly leftOver: readonly string[] }> {
  const [source, out] = [join(folder, 'checkpoint'), join(folder, 'model.safetensors')];
  await writeFile(source, encodeSafetensors(tensors, {}));
  const { plan } = await importCheckpoint(source, out, { model, ...(average && { average }) });
  const bytes = await readFile(out);
  // The origin in the header differs, the elements may not.
  const elements = bytes.subarray(8 + Number(bytes.readBigUInt64LE(0)));
  return { bytes: elements, weights: plan.weights, leftOver: plan.leftOver.map(({ name }) => name) };
}

test("MeanFlow's DiT under the names of SiT is the network that JAX code published", () =>
  withFolder(async (folder) => {
    const open = async (source: string): Promise<readonly [string, readonly number[]][]> => {
      const out = join(folder, 'model.safetensors');
      await importCheckpoint(at(source), out, { model: dit });
      const { params } = await openModel(out);
      return treePaths<HostArray>(params).map(({ path, leaf }) => [path, [...leaf.data]]);
    };
    const jax = await open('published/mf-full-legacy-msgpack');
    expect(jax).toHaveLength(25);
    expect(await open('names/mf-sit.pt')).toEqual(jax);
  }));

describe('PyTorch names of a DiT', () => {
  const names = (times: 't-and-h' | 't-and-r'): readonly string[] =>
    publishedParameters({ ...dit, times }, 'torch').map(({ name }) => name);

  test('the embedder of the second time is called by what it embeds', () => {
    expect(names('t-and-h')).toContain('h_embedder.mlp.0.weight');
    expect(names('t-and-r')).toEqual(names('t-and-h').map((name) => name.replace(/^h_/, 'r_')));
  });

  test('one that embeds r is not taken for one that embeds h, and the error says what to change', () =>
    withFolder(async (folder) => {
      const tensors = torchWeights({ ...dit, times: 't-and-r' });
      await expect(imported(folder, tensors, dit)).rejects.toThrow(
        /"h_embedder\.mlp\.0\.bias" is missing.* with "times": "t-and-r"/,
      );
      await expect(imported(folder, tensors, { ...dit, times: 't-and-r' })).resolves.toBeDefined();
    }));

  test('a table of positions is compared', () =>
    withFolder(async (folder) => {
      const right = { ...torchWeights(dit), ...buffersOf(dit) };
      expect((await imported(folder, right, dit)).leftOver).toEqual([]);
      // Rows first, where the network has columns first.
      const { data } = right.pos_embed;
      const swapped = Array.from({ length: 4 }, (_, i) => [...data.slice(8 * i + 4, 8 * i + 8), ...data.slice(8 * i, 8 * i + 4)]); // prettier-ignore
      const wrong = { ...right, pos_embed: hostArray(swapped.flat(), { shape: [1, 4, 8] }) };
      await expect(imported(folder, wrong, dit)).rejects.toThrow(
        /"pos_embed" is the positions of patches.*its element 8 is 0, expected 0\.84/,
      );
      const larger = { ...right, pos_embed: hostArray(new Float32Array(128), { shape: [1, 16, 8] }) };
      await expect(imported(folder, larger, dit)).rejects.toThrow(
        /it is F32\[1, 16, 8\], expected F32\[1, 4, 8\]/,
      );
    }));
});

describe('what wraps the modules of a U-Net', () => {
  const plain = { ...torchWeights(unet), ...buffersOf(unet) };
  const wrapped = (rename: (name: string) => string): Tensors => ({
    ...torchWeights(unet, rename),
    ...buffersOf(unet, rename),
  });

  test.each<[string, (name: string) => string, string]>([
    ['torch.compile, outside', (name) => `_orig_mod.${name}`, 'net'],
    ['torch.compile, each block', (name) => name.replace(/(\d+x\d+_\w+?\d*)\./, '$1._orig_mod.'), 'net'],
    ['DistributedDataParallel', (name) => `module.${name}`, 'module.net'],
    ['both, in a container', (name) => `state_dict/module._orig_mod.${name}`, 'state_dict/module._orig_mod.net'],
    ['without its first name', (name) => name.replace('net.', ''), 'weights'],
    ['a pickled module', (name) => `model/_modules/${name.replaceAll('.', '/_modules/').replace(/_modules\/(\w+)$/, '_parameters/$1')}`, 'model/_modules/net'],
  ])('%s', (_, rename, weights) =>
    withFolder(async (folder) => {
      const expected = await imported(folder, plain, unet);
      const got = await imported(folder, wrapped(rename), unet);
      expect(got.bytes.equals(expected.bytes)).toBe(true);
      expect(got.leftOver).toEqual([]);
      expect(got.weights.replace(/^_orig_mod\./, '')).toBe(weights);
    }),
  ); // prettier-ignore

  test('two sets that differ by a wrapper alone stay two', () =>
    withFolder(async (folder) => {
      const both = { ...wrapped((name) => `model/${name}`), ...wrapped((name) => `model/module.${name}`) };
      await expect(imported(folder, both, unet)).rejects.toThrow(
        /several sets of weights: model\/module\.net, model\/net/,
      );
    }));

  test('the state of an average holds what it averages too', () =>
    withFolder(async (folder) => {
      const halved = Object.fromEntries(
        Object.entries(torchWeights(unet)).map(([name, { data, shape }]) => [
          name,
          hostArray(
            Float32Array.from(data, (x) => x / 2),
            { shape },
          ),
        ]),
      );
      const state = {
        ...wrapped((name) => `model/${name}`),
        ...wrapped((name) => `ema/online_model.${name}`),
        ...Object.fromEntries(
          Object.entries(halved).map(([name, array]) => [`ema/ema_model.${name}`, array]),
        ),
      };
      const average = await imported(folder, halved, unet);
      const itself = await imported(folder, plain, unet);
      const chosen = await imported(folder, state, unet);
      expect(chosen).toMatchObject({ weights: 'ema/ema_model.net' });
      expect(chosen.bytes.equals(average.bytes)).toBe(true);
      const none = await imported(folder, state, unet, 'none');
      expect(none).toMatchObject({ weights: 'model/net' });
      expect(none.bytes.equals(itself.bytes)).toBe(true);
    }));

  test.each([
    ['with dots', (name: string) => `model.${name}`],
    ['with slashes', (name: string) => `model/${name.replaceAll('.', '/')}`],
    ['without its first name', (name: string) => `model/${name.replace('net.', '')}`],
    ['within a wrapper', (name: string) => `model/_orig_mod.${name}`],
  ])('another filter is an error, under names %s', (_, rename) =>
    withFolder(async (folder) => {
      const other = buffersOf({ ...unet, resampleFilter: [1, 1] }, rename);
      const doubled = Object.fromEntries(
        Object.entries(buffersOf(unet, rename)).map(([name, { data, shape }]) => [
          name,
          hostArray(
            Float32Array.from(data, (x) => 2 * x),
            { shape },
          ),
        ]),
      );
      for (const wrong of [other, doubled]) {
        await expect(imported(folder, { ...torchWeights(unet, rename), ...wrong }, unet)).rejects.toThrow(
          /resample_filter" is the filter of changes of resolution \(resampleFilter\)/,
        );
      }
    }),
  );
});

test("the autoencoder's decoder under its original names is the one of diffusers", () =>
  withFolder(async (folder) => {
    const config = { channels: [8, 16], blocks: 1, groups: 4 };
    const pairs = Object.entries(
      JSON.parse(await readFile(at('names/compvis-names.json'), 'utf8')) as Record<string, string>,
    );
    const diffusers = publishedSdVaeParameters('decoder', sdVaeDecoder(config));
    expect(pairs).toHaveLength(diffusers.length);
    const tensors = Object.fromEntries(diffusers.map(({ name, shape }, i) => [name, numbers(i, shape)]));
    const model = { autoencoder: { half: 'decoder', ...config } } as const;
    const expected = await imported(folder, tensors, model);
    await expect(openDecoder(join(folder, 'model.safetensors'))).resolves.toBeDefined();
    for (const prefix of ['', 'first_stage_model.', 'state_dict/first_stage_model.']) {
      const original = pairs.map(([name, theirs]): [string, HostArray] => {
        const { shape } = tensors[theirs];
        // Its maps of attention are convolutions of one pixel.
        const isMap = /attn_1\.(q|k|v|proj_out)\.weight$/.test(name);
        return [prefix + name, tensors[theirs].reshape(isMap ? [...shape, 1, 1] : shape)];
      });
      const beside: Tensors = prefix === '' ? {} : { 'model.diffusion_model.out.0.weight': hostArray([1]) };
      const got = await imported(folder, { ...Object.fromEntries(original), ...beside }, model);
      expect(got.bytes.equals(expected.bytes)).toBe(true);
    }
  }));
