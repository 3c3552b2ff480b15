/** The halves of the autoencoder: by name out of a file that holds both, and of other sizes by their configuration. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ArgumentError, DataError, hostArray, RandomKey, sizeOf, treePaths, type HostArray } from '@meanflow/core'; // prettier-ignore
import { type Catalogue, decodeSafetensors, encodeSafetensors } from '@meanflow/formats';
import { sdVaeDecoder, sdVaeEncoder } from '@meanflow/models';
import {
  arrangePublished,
  type SdVaeNaming,
  publishedSdVaeParameters,
  type PublishedParameter,
} from '@meanflow/models/published';
import { planImport, type ImportModel } from '../src/index.js';
import { importCheckpoint, openDecoder, openEncoder, openModel } from '../src/node.js';
import { withFolder } from './support/folder.js';

const sizes = { channels: [4, 8], blocks: 1, groups: 2 } as const;

/** Both halves under the names of diffusers. */
const both = (config: object, naming: SdVaeNaming): readonly PublishedParameter[] => [
  ...publishedSdVaeParameters('encoder', sdVaeEncoder(config), naming),
  ...publishedSdVaeParameters('decoder', sdVaeDecoder(config), naming),
];

/** A catalogue of names and shapes, which is all that a plan looks at. */
const catalogueOf = (parameters: readonly PublishedParameter[]): Catalogue => ({
  format: 'safetensors',
  source: '"vae"',
  tensors: parameters.map(({ name, shape }) => ({
    ...{ name, shape, dtype: 'F32' },
    pieces: () => {
      throw new Error('A plan reads nothing.');
    },
  })),
  values: [],
});

test.each(['to_q', 'query'] as const)('sd-vae is the decoder, with its attention called %s', (naming) => {
  const catalogue = catalogueOf(both({}, naming));
  const plan = planImport(catalogue, { model: 'sd-vae' });
  expect(plan.target).toMatchObject({ name: 'sd-vae-decoder', parameterCount: 49_490_199 });
  expect(plan.parameters).toHaveLength(140);
  const left = plan.leftOver.map(({ name }) => name);
  expect(left).toHaveLength(catalogue.tensors.length - 140);
  expect(left.every((name) => /^(encoder|quant_conv)\./.test(name))).toBe(true);
  const encoder = planImport(catalogue, { model: 'sd-vae-encoder' });
  expect(encoder.target.parameterCount).toBe(34_163_664);
});

test('one of another size by its configuration, with the values that were there', () =>
  withFolder(async (folder) => {
    const parameters = both(sizes, 'query');
    const tensors = Object.fromEntries(
      parameters.map(({ name, shape }, i): [string, HostArray] => [
        name,
        RandomKey.fromSeed(i)
          .normal([sizeOf(shape)])
          .reshape(shape),
      ]),
    );
    const [source, out] = [join(folder, 'vae'), join(folder, 'out.safetensors')];
    await writeFile(source, encodeSafetensors(tensors, {}));
    for (const half of ['decoder', 'encoder'] as const) {
      await importCheckpoint(source, out, { model: { autoencoder: { half, ...sizes } } });
      const opened = half === 'decoder' ? await openDecoder(out) : await openEncoder(out);
      expect(opened.network.config).toMatchObject(sizes);
      const got = Object.fromEntries(
        treePaths<HostArray>(opened.params).map(({ path, leaf }) => [path, leaf.data]),
      );
      const own = publishedSdVaeParameters(half, opened.network, 'query');
      expect(got).toEqual(
        Object.fromEntries(own.map((each) => [each.path, arrangePublished(each, tensors[each.name]).data])),
      );
      const wrong = half === 'decoder' ? openEncoder : openDecoder;
      await expect(wrong(out)).rejects.toThrow(/does not hold the (en|de)coder of an autoencoder/);
      await expect(openModel(out)).rejects.toThrow(/holds half of an autoencoder/);
    }
  }));

test.each<[object, RegExp]>([
  [{}, /half: expected one of encoder, decoder, got nothing/],
  [{ half: 'both' }, /half: expected one of encoder, decoder, got "both"/],
  [{ half: 'decoder', chanels: [4] }, /no field "chanels"\. Did you mean "channels"\?/],
  [{ half: 'decoder', channels: 4 }, /channels: expected a list, got 4/],
  [{ half: 'decoder', channels: [4, 6], groups: 4 }, /groups divide the channels/],
])('the configuration %j is an error', (autoencoder, message) => {
  const plan = () => planImport(catalogueOf([]), { model: { autoencoder } as ImportModel });
  expect(plan).toThrow(ArgumentError);
  expect(plan).toThrow(message);
});

test('a model file whose configuration is damaged is an error of the file', () =>
  withFolder(async (folder) => {
    const [source, out] = [join(folder, 'vae'), join(folder, 'out.safetensors')];
    const zeros = both(sizes, 'to_q').map(({ name, shape }) => [
      name,
      hostArray(new Float32Array(sizeOf(shape)), { shape }),
    ]);
    await writeFile(source, encodeSafetensors(Object.fromEntries(zeros) as Record<string, HostArray>, {}));
    await importCheckpoint(source, out, { model: { autoencoder: { half: 'decoder', ...sizes } } });
    const { tensors, metadata } = decodeSafetensors(await readFile(out));
    const model = JSON.parse(metadata.model) as Record<string, unknown>;
    const autoencoder = { half: 'decoder', ...sizes, blocks: '1' };
    await writeFile(
      out,
      encodeSafetensors(
        tensors,
        { ...metadata, model: JSON.stringify({ ...model, autoencoder }) },
        { checksums: true },
      ),
    );
    await expect(openDecoder(out)).rejects.toThrow(DataError);
    await expect(openDecoder(out)).rejects.toThrow(/blocks: expected a number, got "1"/);
  }));
