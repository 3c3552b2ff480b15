/** Imported models, from the checkpoint to samples and to a file for plain ONNX Runtime, which must agree. */
import { readFile, stat } from 'node:fs/promises';
import { decode } from 'fast-png';
import { openDecoder } from '@meanflow/checkpoints/node';
import { hostArray, RandomKey, referenceBackend } from '@meanflow/core';
import { latentDecoder } from '@meanflow/models';
import { createDecoder } from '@meanflow/samplers';
import * as ort from 'onnxruntime-node';
import { meanflow, succeed, temporaryFolder } from './support/cli.js';
import { networks, tinyVae, writeDecoder, writeNetwork } from './support/published.js';
import { writeJson } from './support/tiny.js';

const folder = temporaryFolder();
const model = (name: string): string => folder.path(`${name}.safetensors`);
const names = Object.keys(networks) as (keyof typeof networks)[];
const inputs = {
  'imf-dit': [4, 4, 4],
  'pmf-dit': [8, 8, 3],
  dit: [4, 4, 4],
  'song-unet': [3, 4, 4],
} as const;

beforeAll(async () => {
  for (const name of names) {
    const source = await writeNetwork(folder.path(`${name}-published`), networks[name]);
    const config = await writeJson(folder.path(`${name}.json`), networks[name]);
    await succeed('import', source, '--config', config, '--out', model(name));
    await succeed('import', source, '--config', config, '--out', model(`${name}-half`), '--dtype', 'float16');
  }
  const vae = await writeDecoder(folder.path('vae-published'));
  const config = await writeJson(folder.path('vae.json'), { autoencoder: tinyVae });
  await succeed('import', vae, '--config', config, '--out', model('vae'));
});

/** Rows that `sample` writes, in the units of the data, and the class of each. */
async function sampled(...args: string[]): Promise<{ samples: number[][]; classes?: string[] }> {
  const out = folder.path('samples.json');
  await succeed('sample', ...args, '--out', out);
  return JSON.parse(await readFile(out, 'utf8')) as { samples: number[][]; classes?: string[] };
}

/** What plain ONNX Runtime makes of the noise that `sample --seed 0` starts from. */
async function outputOf(
  file: string,
  shape: readonly number[],
  labels: readonly number[],
  guidance: Readonly<Record<string, number>> = {},
): Promise<ort.Tensor> {
  const session = await ort.InferenceSession.create(file);
  const noise = RandomKey.fromSeed(0).fold('sample').fold('noise').normal(shape).data;
  const feeds = {
    noise: new ort.Tensor('float32', noise, shape),
    ...(labels.length === 0
      ? {}
      : { label: new ort.Tensor('int32', Int32Array.from(labels), [labels.length]) }),
    ...Object.fromEntries(
      Object.entries(guidance).map(([name, value]) => [name, new ort.Tensor('float32', [value], [])]),
    ),
  };
  const { samples } = await session.run(feeds);
  await session.release();
  return samples;
}

function expectSame(got: ort.Tensor, wanted: readonly number[], tolerance = 2e-6): void {
  const data = got.data as Float32Array;
  expect(data).toHaveLength(wanted.length);
  const scale = Math.max(...wanted.map(Math.abs));
  const worst = Math.max(...wanted.map((value, i) => Math.abs(value - data[i])));
  expect(worst / scale).toBeLessThan(tolerance);
}

test.each(names.flatMap((name) => [1, 2].map((nfe) => [name, nfe] as const)))(
  '%s at %d NFE: the exported file gives what sample gives',
  async (name, nfe) => {
    const file = folder.path(`${name}.onnx`);
    const args = [model(name), '--nfe', String(nfe)];
    await succeed('export', ...args, '--batch', '3', '--out', file);
    const { samples, classes } = await sampled(...args, '--count', '3');
    const labels = name === 'song-unet' ? [] : [0, 1, 2];
    expect(classes).toEqual(labels.length === 0 ? undefined : labels.map(String));
    expectSame(await outputOf(file, [3, ...inputs[name]], labels), samples.flat());
  },
);

test('noise is scaled as the network was trained', async () => {
  const { noiseScale: _, ...plain } = networks['pmf-dit'];
  const config = await writeJson(folder.path('plain.json'), plain);
  const out = model('plain');
  await succeed('import', folder.path('pmf-dit-published'), '--config', config, '--out', out);
  const scaled = (await sampled(model('pmf-dit'), '--count', '2')).samples.flat();
  const file = folder.path('plain.onnx');
  await succeed('export', out, '--batch', '2', '--out', file);
  const session = await ort.InferenceSession.create(file);
  const noise = RandomKey.fromSeed(0).fold('sample').fold('noise').normal([2, 8, 8, 3]).data;
  const { samples } = await session.run({
    noise: new ort.Tensor('float32', noise.map((value) => 2 * value), [2, 8, 8, 3]),
    label: new ort.Tensor('int32', Int32Array.of(0, 1), [2]),
  }); // prettier-ignore
  await session.release();
  expectSame(samples, scaled);
  expect((await sampled(out, '--count', '2')).samples.flat()).not.toEqual(scaled);
});

test.each(['imf-dit', 'pmf-dit'] as const)(
  '%s: the guidance and its interval are options, or inputs of the file',
  async (name) => {
    const file = folder.path('guided.onnx');
    await succeed(
      'export',
      model(name),
      '--guidance',
      '1',
      '--guidance-inputs',
      '--batch',
      '2',
      '--out',
      file,
    );
    const shape = [2, ...inputs[name]];
    const of = (...args: string[]) => sampled(model(name), '--count', '2', ...args);
    const narrow = await of('--guidance', '4', '--guidance-interval', '0.4,0.6');
    const wide = await of('--guidance', '4');
    const guidance = { omega: 4, t_min: 0.4, t_max: 0.6 };
    expectSame(await outputOf(file, shape, [0, 1], guidance), narrow.samples.flat());
    expectSame(await outputOf(file, shape, [0, 1], { ...guidance, t_min: 0, t_max: 1 }), wide.samples.flat());
    expect(narrow.samples).not.toEqual(wide.samples);
  },
);

describe('half precision', () => {
  test.each(names)('%s is half as large, and samples as the whole does', async (name) => {
    // Headers are as long in both.
    const header = async (file: string): Promise<number> => 8 + (await readFile(file)).readUInt32LE(0);
    const body = async (file: string): Promise<number> => (await stat(file)).size - (await header(file));
    expect(await body(model(`${name}-half`))).toBe((await body(model(name))) / 2);
    const whole = (await sampled(model(name), '--count', '2')).samples.flat();
    const half = (await sampled(model(`${name}-half`), '--count', '2')).samples.flat();
    const largest = Math.max(...whole.map(Math.abs));
    const worst = Math.max(...whole.map((value, i) => Math.abs(value - half[i]))) / largest;
    expect(worst).toBeGreaterThan(0);
    expect(worst).toBeLessThan(0.02);
  });
});

describe('pictures', () => {
  const size = async (file: string): Promise<number[]> => {
    const { width, height } = decode(await readFile(file));
    return [width, height];
  };

  test('of a class in a grid, from latents and their decoder', async () => {
    const out = folder.path('grid.png');
    const args = ['--vae', model('vae'), '--grid', '2x3', '--class', '2', '--nfe', '1', '--out', out];
    const { err } = await succeed('sample', model('imf-dit'), ...args);
    expect(err).toContain('6 samples at 1 NFE, imf-dit: ');
    // Images of 8 × 8, each pixel six on a side, and a gap of two around each.
    expect(await size(out)).toEqual([3 * 48 + 8, 2 * 48 + 6]);
  });

  test('of images with their channels first: the same numbers as the exported file has, channels last', async () => {
    const out = folder.path('unet.png');
    await succeed('sample', model('song-unet'), '--count', '1', '--out', out);
    const { data, channels, width } = decode(await readFile(out));
    const { samples } = await sampled(model('song-unet'), '--count', '1');
    const pixel = (x: number, y: number): number[] => {
      // Each is twelve wide, after a gap of one.
      const at = channels * ((12 + 12 * y) * width + 12 + 12 * x);
      return Array.from(data.subarray(at, at + 3));
    };
    for (const [x, y] of [
      [0, 0],
      [3, 0],
      [1, 2],
    ]) {
      // prettier-ignore
      const values = samples[0].slice(3 * (4 * y + x), 3 * (4 * y + x) + 3);
      const shown = values.map((value) => Math.round(Math.min(255, Math.max(0, value))));
      expect(pixel(x, y)).toEqual(shown);
    }
  });

  test.each(['imf-dit', 'dit'] as const)('%s with the decoder in the same file', async (name) => {
    const file = folder.path('pictures.onnx');
    const args = [model(name), '--vae', model('vae'), '--nfe', '1'];
    const { err } = await succeed('export', ...args, '--batch', '2', '--out', file);
    expect(err).toContain('samples float32[2, 8, 8, 3]');
    const wanted = (await sampled(...args, '--count', '2')).samples.flat();
    expectSame(await outputOf(file, [2, 4, 4, 4], [0, 1]), wanted);
  });

  test('the decoder is given what the autoencoder would have encoded', async () => {
    // MeanFlow's latents were multiplied by 0.18215.
    const [latents] = (await sampled(model('dit'), '--count', '1')).samples;
    const file = folder.path('raw.onnx');
    await succeed('export', model('dit'), '--out', file);
    expectSame(await outputOf(file, [1, 4, 4, 4], [0]), latents);
    const { samples } = await sampled(model('dit'), '--vae', model('vae'), '--count', '1');
    const pixels = await decoded(latents);
    const worst = Math.max(...pixels.map((value, i) => Math.abs(127.5 * value + 127.5 - samples[0][i])));
    expect(worst / Math.max(...samples[0].map(Math.abs))).toBeLessThan(1e-5);
  });
});

/** What the tiny decoder makes of one latent, on the reference interpreter. */
async function decoded(latents: readonly number[]): Promise<number[]> {
  const { network, params } = await openDecoder(model('vae'));
  const decoder = latentDecoder(network, params, { mean: [0], std: [1] });
  await using decoding = createDecoder(referenceBackend(), decoder);
  const images = await decoding.decode(hostArray(latents, { shape: [1, 4, 4, 4] }));
  return [...images.data];
}

test.each<[string, readonly string[], RegExp]>([
  [
    'latents as a picture',
    ['imf-dit', '--out', 'a.png'],
    /latents, which are no picture: give their decoder \(--vae\)/,
  ],
  ['a decoder of images', ['pmf-dit', '--vae', 'VAE'], /which are images already/],
  ['a decoder that is a network', ['imf-dit', '--vae', 'DIT'], /does not hold the decoder/],
  ['a class that is none', ['imf-dit', '--class', '3'], /no class "3": they are numbers from 0 to 2/],
  ['guidance that was not trained', ['dit', '--guidance', '2'], /not trained for guidance/],
  [
    'an interval that is none',
    ['imf-dit', '--guidance-interval', '0.6,0.4'],
    /two times from 0 to 1 such as/,
  ],
  ['an interval of no guidance', ['imf-dit', '--guidance-interval', '0.4,0.6'], /give --guidance/],
  ['a decoder for sampling', ['vae'], /holds half of an autoencoder, not a network/],
])('%s is refused, and nothing is written', async (_, [name, ...args], message) => {
  const given = args.map((arg) => ({ VAE: model('vae'), DIT: model('dit'), 'a.png': folder.path('a.png') })[arg] ?? arg); // prettier-ignore
  const { status, err } = await meanflow('sample', model(name), ...given);
  expect(err).toMatch(message);
  expect(status).not.toBe(0);
  await expect(stat(folder.path('a.png'))).rejects.toThrow('ENOENT');
});
