/** From published checkpoints to model files and networks: names, layouts, the choice of weights, dtypes. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ArgumentError, DataError, hostArray, treePaths, type HostArray } from '@meanflow/core';
import { bytesAccess, decodeSafetensors, encodeSafetensors, type Catalogue } from '@meanflow/formats';
import type { FilePart } from '@meanflow/formats/build';
import { createNetwork, networkPreset, type NetworkConfig } from '@meanflow/models';
import { arrangePublished, publishedParameters, type PublishedSource } from '@meanflow/models/published';
import { importedModel, planImport, readModel } from '../src/index.js';
import { describeModel, importCheckpoint, openCheckpoint, openModel } from '../src/node.js';
import { withFolder } from './support/folder.js';

const at = (name: string): string => fileURLToPath(new URL(`data/published/${name}`, import.meta.url));

const meanFlow: NetworkConfig = {
  kind: 'dit',
  featureShape: [4, 4, 4],
  patchSize: 2,
  width: 8,
  depth: 1,
  heads: 2,
  classCount: 3,
};
const improved: NetworkConfig = {
  kind: 'imf-dit',
  featureShape: [4, 4, 4],
  patchSize: 2,
  width: 8,
  depth: 2,
  heads: 2,
  headDepth: 1,
  velocityHead: { depth: 0 },
  classCount: 3,
  tokens: { label: 2, omega: 1, interval: 1, time: 1 },
};
const unet: NetworkConfig = {
  kind: 'song-unet',
  featureShape: [1, 4, 4],
  channels: 4,
  channelMultipliers: [1, 1],
  blocks: 1,
  attentionResolutions: [],
  augmentWidth: 6,
};

/** `[checkpoint, expected, configuration, whose names, the names' beginning in expected, weights]` */
const cases: readonly (readonly [string, string, NetworkConfig, PublishedSource, string, string])[] = [
  ['mf-full-legacy-msgpack', 'mf-full', meanFlow, 'jax', 'ema_params/', 'ema_params/net'],
  ['mf-full-orbax', 'mf-full', meanFlow, 'jax', 'ema_params/', 'ema_params/net'],
  ['mf-full-orbax-aggregated', 'mf-full', meanFlow, 'jax', 'ema_params/', 'ema_params/net'],
  ['mf-full-orbax-zarr', 'mf-full', meanFlow, 'jax', 'ema_params/', 'ema_params/net'],
  ['imf-eval-legacy-msgpack', 'imf-eval', improved, 'jax', 'ema_params/', 'ema_params/net'],
  ['imf-eval-orbax', 'imf-eval', improved, 'jax', 'ema_params/', 'ema_params/net'],
  ['imf-torch.pth', 'imf-torch', improved, 'torch', 'sd/', 'net'],
];

const expectedParameters = async (
  name: string,
  config: NetworkConfig,
  source: PublishedSource,
  prefix: string,
): Promise<Record<string, HostArray>> => {
  const { tensors } = decodeSafetensors(await readFile(at(`${name}.expected.safetensors`)));
  return Object.fromEntries(
    publishedParameters(config, source).map((parameter) => [
      parameter.path,
      arrangePublished(parameter, tensors[prefix + parameter.name].reshape(parameter.shape)),
    ]),
  );
};

const flat = (params: Parameters<typeof treePaths<HostArray>>[0]): Record<string, HostArray> =>
  Object.fromEntries(treePaths<HostArray>(params).map(({ path, leaf }) => [path, leaf]));

test.each(cases)('%s becomes a network with its weights', (checkpoint, name, config, source, prefix, weights) =>
  withFolder(async (folder) => {
    const out = join(folder, 'model.safetensors');
    const { plan } = await importCheckpoint(at(checkpoint), out, { model: config });
    expect(plan.weights).toBe(weights);
    expect(plan.leftOver).toEqual([]);
    const { network, params, facts } = await openModel(out);
    expect(network.config).toEqual(config);
    expect(facts.origin.weights).toBe(weights);
    expect(flat(params)).toEqual(await expectedParameters(name, config, source, prefix));
    expect(await readdir(folder)).toEqual(['model.safetensors']);
  }),
); // prettier-ignore

describe('the U-Net, whose state has the parameters and three averages', () => {
  const plan = async (average?: string) =>
    planImport(await openCheckpoint(at('pymf-full')), { model: unet, average });

  test('the first average is taken, its filters are compared, and nothing is left over', async () => {
    const chosen = await plan();
    expect(chosen.weights).toBe('model/net_ema');
    expect(chosen.otherWeights).toEqual(['model/net', 'model/net_ema1', 'model/net_ema2']);
    expect(chosen.buffers).toHaveLength(4);
    expect(chosen.leftOver).toEqual([]);
    expect(chosen.parameters).toHaveLength(publishedParameters(unet, 'torch').length);
  });

  test.each([
    ['net_ema1', 'model/net_ema1'],
    ['model/net_ema2', 'model/net_ema2'],
    ['none', 'model/net'],
    ['net', 'model/net'],
  ])('--ema %s takes %s', async (average, label) => expect((await plan(average)).weights).toBe(label));

  test('an average that it does not have is an error that lists those it has', () =>
    expect(plan('ema_params')).rejects.toThrow(
      /no weights "ema_params"\. It has model\/net, model\/net_ema, model\/net_ema1, model\/net_ema2/,
    ));

  test('the parameters themselves become what the published reader gets', async () => {
    const { params } = await readModel(
      bytesAccess(await assembled(importedModel(await plan('none'))), 'model'),
    );
    const { tensors } = decodeSafetensors(await readFile(at('pymf-full.expected.safetensors')));
    for (const parameter of publishedParameters(unet, 'torch')) {
      expect(flat(params)[parameter.path]).toEqual(arrangePublished(parameter, tensors[parameter.name]));
    }
  });

  test('another filter than the model has is an error', async () => {
    const filtered: NetworkConfig = { ...unet, resampleFilter: [1, 1, 1, 1] };
    const other = planImport(await openCheckpoint(at('pymf-full')), { model: filtered });
    await expect(importedModel(other).next()).rejects.toThrow(
      /is the filter of changes of resolution.*expected 0\.0625: the checkpoint was trained with another one/,
    );
  });
});

describe('half precision', () => {
  test('halves the file, rounds to nearest, and is widened when read', () =>
    withFolder(async (folder) => {
      const [full, half] = ['full', 'half'].map((name) => join(folder, name));
      const source = at('mf-full-orbax');
      const { bytes } = await importCheckpoint(source, full, { model: meanFlow });
      const small = await importCheckpoint(source, half, { model: meanFlow, dtype: 'float16' });
      const count = createNetwork(meanFlow).parameterCount;
      expect((await describeModel(half)).bytes).toBe(2 * count);
      expect(bytes - small.bytes).toBeGreaterThan(2 * count - 100);
      const [wide, narrow] = [flat((await openModel(full)).params), flat((await openModel(half)).params)];
      for (const [path, { data }] of Object.entries(wide)) {
        const errors = [...data].map((x, i) => Math.abs(x - narrow[path].data[i]) / Math.max(Math.abs(x), 2 ** -14));
        expect(Math.max(...errors)).toBeLessThanOrEqual(2 ** -11);
        expect(Math.max(...errors)).toBeGreaterThan(0);
      }
    })); // prettier-ignore

  test.each([
    ['beyond float16', 70_000, /"net\/x_embedder\/proj\/bias" holds 70000 at element 2, beyond float16/],
    ['not finite', NaN, /holds NaN at element 2; weights are finite/],
  ])('a weight that is %s is an error, and no file is left', (_, value, message) =>
    withFolder(async (folder) => {
      const out = join(folder, 'model.safetensors');
      const tensors = weightsOf(meanFlow);
      tensors['net/x_embedder/proj/bias'].data[2] = value;
      const source = await written(folder, tensors);
      await expect(
        importCheckpoint(source, out, { model: meanFlow, dtype: 'float16' }),
      ).rejects.toThrow(message);
      expect(await readdir(folder)).toEqual(['weights.safetensors']);
    }),
  ); // prettier-ignore
});

/** Weights under published names, all of them different. */
function weightsOf(config: NetworkConfig, source: PublishedSource = 'jax'): Record<string, HostArray> {
  let next = 0;
  return Object.fromEntries(
    publishedParameters(config, source).map(({ name, shape }) => {
      const size = shape.reduce((product, axis) => product * axis, 1);
      return [name, hostArray(Array.from({ length: size }, () => (next += 2 ** -10)), { shape })];
    }),
  ); // prettier-ignore
}

async function written(folder: string, tensors: Record<string, HostArray>): Promise<string> {
  const path = join(folder, 'weights.safetensors');
  await writeFile(path, encodeSafetensors(tensors));
  return path;
}

describe('what does not fit', () => {
  const planned = (tensors: Record<string, HostArray>, choice: Parameters<typeof planImport>[1]) =>
    withFolder(async (folder) => planImport(await openCheckpoint(await written(folder, tensors)), choice));

  test('a parameter that is missing is named', async () => {
    const { 'net/x_embedder/proj/bias': _, ...rest } = weightsOf(meanFlow);
    await expect(planned(rest, { model: meanFlow })).rejects.toThrow(
      /are not those of a network of this configuration: "net\/x_embedder\/proj\/bias" is missing/,
    );
  });

  test('a parameter of another shape is named, with both', async () => {
    const tensors = { ...weightsOf(meanFlow), 'net/x_embedder/proj/bias': hostArray([1, 2]) };
    await expect(planned(tensors, { model: meanFlow })).rejects.toThrow(
      /"net\/x_embedder\/proj\/bias" is F32\[2\], expected \[8\]/,
    );
  });

  test('integers are no weights', async () => {
    const tensors = { ...weightsOf(meanFlow), 'net/x_embedder/proj/bias': hostArray([1, 2, 3, 4, 5, 6, 7, 8], { dtype: 'int32' }) }; // prettier-ignore
    await expect(planned(tensors, { model: meanFlow })).rejects.toThrow(/holds I32; weights are floats/);
  });

  test('tensors beside the parameters are listed and left', async () => {
    const tensors = { ...weightsOf(meanFlow), 'net/extra/kernel': hostArray([1]), other: hostArray([2]) };
    const { leftOver } = await planned(tensors, { model: meanFlow });
    expect(leftOver.map(({ name }) => name)).toEqual(['net/extra/kernel']);
  });

  test('something else altogether', () =>
    expect(planned({ w: hostArray([1]) }, { model: 'imf-dit-b-2' })).rejects.toThrow(
      /holds no weights of "imf-dit-b-2": it has "w", expected such as "net\//,
    ));

  test('a model that nobody published, and one with a misspelt name', async () => {
    await expect(planned({}, { model: 'imf-dit-b-3' })).rejects.toThrow(/no published model.*imf-dit-b-2/);
    await expect(
      planned({}, { model: { kind: 'mlp', featureShape: [2], width: 4, depth: 1 } }),
    ).rejects.toThrow(/Nobody published networks of kind "mlp"/);
    await expect(planned({}, { model: 'imf-dit-b-3' })).rejects.toThrow(ArgumentError);
  });
});

/** A checkpoint that has these sets of weights, none of which can be read. */
function unreadable(
  config: NetworkConfig,
  prefixes: readonly string[],
  source: PublishedSource | undefined = undefined,
): Catalogue {
  const tensors = prefixes.flatMap((prefix) =>
    publishedParameters(config, source).map(({ name, shape }) => ({
      name: prefix + name,
      dtype: 'F32' as const,
      shape,
      pieces: () => {
        throw new Error('a plan reads no tensor');
      },
    })),
  );
  return { format: 'test', source: 'The checkpoint', tensors, values: [] };
}

describe('which weights', () => {
  const sets = (...prefixes: readonly string[]) => unreadable(meanFlow, prefixes);
  const chosen = (prefixes: readonly string[], average?: string): string =>
    planImport(sets(...prefixes), { model: meanFlow, average }).weights;

  test.each<[readonly string[], string | undefined, string]>([
    [[''], undefined, 'net'],
    [['params/', 'ema_params/', 'opt_state/0/mu/', 'opt_state/0/nu/'], undefined, 'ema_params/net'],
    [['params/', 'ema_params/', 'opt_state/0/mu/'], 'none', 'params/net'],
    [['params/', 'params_ema/'], undefined, 'params_ema/net'],
    [['params/', 'ema_params1/', 'ema_params2/'], 'ema_params2', 'ema_params2/net'],
    [['params/', 'ema_params/0.9999/', 'ema_params/0.9995/'], '0.9999', 'ema_params/0.9999/net'],
    [['params.', 'ema_params.'], undefined, 'ema_params.net'],
  ])('%j with --ema %s is %s', (prefixes, average, label) => expect(chosen(prefixes, average)).toBe(label));

  test.each<[readonly string[], string | undefined, RegExp]>([
    [['ema_params1/', 'ema_params2/'], undefined, /several sets of weights: ema_params1\/net, ema_params2\/net/],
    [['ema_params/500/', 'ema_params/1000/'], undefined, /several sets of weights/],
    [['ema_params/'], 'none', /has no parameters that are no average/],
    [['params/'], '0.9999', /no weights "0\.9999"\. It has params\/net/],
  ])('%j with --ema %s is an error', (prefixes, average, message) =>
    expect(() => chosen(prefixes, average)).toThrow(message),
  ); // prettier-ignore

  test('an average that lacks a parameter is an error, unless the parameters themselves are asked for', () => {
    const catalogue = sets('params/', 'ema_params/');
    const tensors = catalogue.tensors.filter(({ name }) => name !== 'ema_params/net/x_embedder/proj/bias');
    const plan = (average?: string) => planImport({ ...catalogue, tensors }, { model: meanFlow, average });
    expect(() => plan()).toThrow(/"ema_params\/net".*x_embedder\/proj\/bias" is missing.*--ema none/);
    expect(plan('none').weights).toBe('params/net');
  });
});

test('published models are known by their names and shapes, without reading a weight', () => {
  const detected = (model: string, prefix: string, source?: PublishedSource): string | undefined => {
    const { target } = planImport(unreadable(networkPreset(model), [prefix], source));
    return target.name;
  };
  expect(detected('dit-b-4', 'ema_params/')).toBe('dit-b-4');
  expect(detected('imf-dit-xl-2', '', 'torch')).toBe('imf-dit-xl-2');
  expect(detected('pmf-dit-l-32', 'ema_params/1000/')).toBe('pmf-dit-l-32');
  expect(detected('song-unet-cifar10', 'model/')).toBe('song-unet-cifar10');
  // All that sampling needs is in a training state.
  expect(detected('imf-dit-b-2-train', 'ema_params/')).toBe('imf-dit-b-2');
  expect(() => planImport(unreadable(meanFlow, ['']))).toThrow(/fits no published model/);
});

test('an average of pixel MeanFlow is the one that its authors evaluate with', () => {
  const prefixes = [500, 1000, 2000].map((halfLife) => `ema_params/${halfLife}/`);
  const catalogue = unreadable(networkPreset('pmf-dit-l-16'), prefixes);
  expect(planImport(catalogue, { model: 'pmf-dit-l-16' }).weights).toBe('ema_params/1000/net');
});

test('a model file that is none, or is damaged', () =>
  withFolder(async (folder) => {
    const source = await written(folder, weightsOf(meanFlow));
    await expect(openModel(source)).rejects.toThrow(/no model of meanflow\. Import it first/);
    const out = join(folder, 'model.safetensors');
    await importCheckpoint(source, out, { model: meanFlow });

    const { tensors, metadata } = decodeSafetensors(await readFile(out));
    const rewrite = (model: unknown, content = tensors) =>
      writeFile(
        out,
        encodeSafetensors(content, { ...metadata, model: JSON.stringify(model) }, { checksums: true }),
      );
    const model = JSON.parse(metadata.model) as Record<string, unknown>;
    await rewrite({ ...model, version: 3 });
    await expect(openModel(out)).rejects.toThrow(/version 3; this program reads version 1 and 2/);
    await rewrite({ ...model, network: { ...meanFlow, heads: 3 } });
    await expect(openModel(out)).rejects.toThrow(DataError);
    await rewrite({ ...model, network: { ...meanFlow, kind: 'nothing' } });
    await expect(openModel(out)).rejects.toThrow(/no network of kind "nothing"/);
    for (const [change, message] of [
      [{ width: '8' }, /model\.safetensors": dit: width: expected a number, got "8"/],
      [{ featureShape: 4 }, /featureShape: expected a list, got 4/],
      [{ widht: 8 }, /no field "widht"\. Did you mean "width"\?/],
      [{ heads: undefined }, /heads: expected a number, got nothing/],
      [{ constructor: 1 }, /no field "constructor"/],
      [JSON.parse('{"__proto__": {"depth": 9}}') as object, /no field "__proto__"/],
      [
        { velocityHead: JSON.parse('{"depth": 0, "__proto__": {}}') as object },
        /velocityHead: there is no field "__proto__"/,
      ],
      [{ embedding: { kind: 'fourier', constructor: 1 } }, /embedding: there is no field "constructor"/],
      [{ embedding: null }, /embedding: expected an object, got null/],
      [{ times: 'r' }, /times: expected one of t-and-h, t-and-r, h, t, got "r"/],
      [{ depth: 1e9 }, /depth: expected at most 1000, got 1000000000/],
    ] as const) {
      await rewrite({ ...model, network: { ...meanFlow, ...change } });
      await expect(openModel(out)).rejects.toThrow(message);
    }
    await rewrite(model, { ...tensors, extra: hostArray([1]) });
    await expect(openModel(out)).rejects.toThrow(/holds "extra"/);
    const { 'params/patch/bias': _, ...rest } = tensors;
    await rewrite(model, rest);
    await expect(openModel(out)).rejects.toThrow(/lacks "params\/patch\/bias"/);
  }));

test('a model file has checksums, under which every bit of it is', () =>
  withFolder(async (folder) => {
    const out = join(folder, 'model.safetensors');
    await importCheckpoint(await written(folder, weightsOf(meanFlow)), out, { model: meanFlow });
    const intact = new Uint8Array(await readFile(out));
    const read = (bytes: Uint8Array) => readModel(bytesAccess(bytes, 'model'));
    await read(intact);
    // All of the header, and some of the weights.
    const header = 8 + Number(new DataView(intact.buffer).getBigUint64(0, true));
    const places = Array.from({ length: header }, (_, at) => at);
    for (let at = header; at < intact.length; at += 397) places.push(at);
    for (const at of places) {
      const damaged = intact.slice();
      damaged[at] ^= 1 << (at & 7);
      await expect(read(damaged)).rejects.toThrow(DataError);
    }
    // Files of version 1, which had none, are read as ever; what says it has them must have them.
    const { tensors, metadata } = decodeSafetensors(intact);
    await expect(read(encodeSafetensors(tensors, metadata))).rejects.toThrow(
      /has checksums, and it has none/,
    );
    const old = { ...metadata, model: metadata.model.replace('"version":2', '"version":1') };
    expect((await read(encodeSafetensors(tensors, old))).params).toEqual((await read(intact)).params);
  }));

/** A file from its parts. */
async function assembled(parts: AsyncIterable<FilePart>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let header: Uint8Array | undefined;
  for await (const part of parts) {
    if ('position' in part) header = part.bytes;
    else pieces.push(part.slice());
  }
  const file = new Uint8Array(Buffer.concat(pieces));
  if (header !== undefined) file.set(header);
  return file;
}
