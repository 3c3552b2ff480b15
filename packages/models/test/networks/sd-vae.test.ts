import {
  hostArray,
  RandomKey,
  spec,
  trace,
  treeFlatten,
  type HostArray,
  type Symbolic,
  type Tensor,
  type Tree,
} from '@meanflow/core';
import {
  denormaliseLatents,
  latentNormalisations,
  normaliseLatents,
  sampleLatents,
  sdVaeDecoder,
  sdVaeEncoder,
  toPixels,
  type ParameterSpec,
  type SdVaeDecoderParameters,
  type SdVaeEncoderParameters,
} from '../../src/index.js';
import { publishedSdVaeParameters } from '../../src/published.js';
import { evaluate, relativeError } from '../helpers.js';
import { treeOfPublished } from '../published-weights.js';
import { readSafetensors } from '../safetensors.js';

const data = readSafetensors('sd-vae');
const config = { channels: [4, 8, 8], blocks: 1, groups: 2 };
const [encoder, decoder] = [sdVaeEncoder(config), sdVaeDecoder(config)];
/** The two spellings of the same parameters. */
const renamed = Object.fromEntries(
  Object.entries(data).map(([name, array]) => [
    name
      .replace('to_out.0', 'proj_attn')
      .replace('to_q', 'query')
      .replace('to_k', 'key')
      .replace('to_v', 'value'),
    array,
  ]),
);

describe.each([
  ['to_q', data],
  ['query', renamed],
] as const)('weights of PyTorch, attention named %s', (naming, arrays) => {
  test('encode', () => {
    const published = publishedSdVaeParameters('encoder', encoder, naming);
    const params = treeOfPublished<SdVaeEncoderParameters>(encoder.specs, published, arrays);
    const results = evaluate(({ params, image }) => ({ ...encoder.apply(params, image) }), {
      params,
      image: data['in/image'] as HostArray<'float32'>,
    });
    expect(results.mean.shape).toEqual(data['out/mean'].shape);
    expect(relativeError(results.mean, data['out/mean'])).toBeLessThan(1e-12);
    // Two of its channels are beyond the limits.
    expect(relativeError(results.logVariance, data['out/log_variance'])).toBeLessThan(1e-12);
    expect(Math.max(...results.logVariance.data)).toBe(20);
    expect(Math.min(...results.logVariance.data)).toBe(-30);
  });

  test('decode', () => {
    const published = publishedSdVaeParameters('decoder', decoder, naming);
    const params = treeOfPublished<SdVaeDecoderParameters>(decoder.specs, published, arrays);
    const { image } = evaluate(({ params, latent }) => ({ image: decoder.apply(params, latent) }), {
      params,
      latent: data['in/latent'] as HostArray<'float32'>,
    });
    expect(image.shape).toEqual(data['out/image'].shape);
    expect(relativeError(image, data['out/image'])).toBeLessThan(1e-12);
  });
});

test('every published array has a place', () => {
  const names = [
    ...publishedSdVaeParameters('encoder', encoder),
    ...publishedSdVaeParameters('decoder', decoder),
  ].map(({ name }) => name);
  expect(names.sort()).toEqual(
    Object.keys(data)
      .filter((name) => !/^(in|out)\//.test(name))
      .sort(),
  );
});

test("Stable Diffusion's has the published number of parameters", () => {
  // AutoencoderKL of sd-vae-ft-mse: 83,653,863 in all.
  expect(sdVaeDecoder().parameterCount).toBe(49_490_199);
  expect(sdVaeEncoder().parameterCount).toBe(34_163_664);
});

test('a latent has an eighth of the sides of its image', () => {
  const [full, back] = [sdVaeEncoder(), sdVaeDecoder()];
  const halves = [full, back].map(({ specs }) => treeFlatten<ParameterSpec>(specs as Tree<ParameterSpec>));
  const shapes = halves.map(({ leaves }) => leaves.map(({ shape }) => spec(shape)));
  const { graph } = trace(
    ([[image], ...parameters]: readonly (readonly Tensor[])[]) => {
      const [encode, decode] = halves.map(({ structure }, i): unknown => structure.unflatten(parameters[i]));
      const { mean } = full.apply(encode as Symbolic<SdVaeEncoderParameters>, image);
      return { mean, image: back.apply(decode as Symbolic<SdVaeDecoderParameters>, mean) };
    },
    [[spec([1, 64, 32, 3])], ...shapes],
  );
  const outputs = graph.outputs.map(({ name, value }) => [name, graph.types[value].shape]);
  expect(outputs).toEqual([
    ['image', [1, 64, 32, 3]],
    ['mean', [1, 8, 4, 4]],
  ]);
});

test('initial parameters fit', () => {
  const params = decoder.init(RandomKey.fromSeed(0));
  const { image } = evaluate(({ params, z }) => ({ image: decoder.apply(params, z) }), {
    params,
    z: RandomKey.fromSeed(1).normal([1, 1, 2, 4]),
  });
  expect(image.shape).toEqual([1, 4, 8, 3]);
});

test('latents are normalised as each paper does', () => {
  const latents = hostArray([1, -2, 3, 0.5], { shape: [1, 1, 1, 4] });
  const both = (name: keyof typeof latentNormalisations) =>
    evaluate(
      ({ x }) => {
        const normalised = normaliseLatents(x, latentNormalisations[name]);
        return { normalised, back: denormaliseLatents(normalised, latentNormalisations[name]) };
      },
      { x: latents },
    );
  expect([...both('meanflow').normalised.data]).toEqual(
    [1, -2, 3, 0.5].map((x) => expect.closeTo(x * 0.18215, 12)),
  );
  expect(both('improved-meanflow').normalised.data[1]).toBeCloseTo((-2 + 0.27787343) / 5.31922414, 12);
  for (const name of ['meanflow', 'improved-meanflow'] as const) {
    expect(relativeError(both(name).back, latents)).toBeLessThan(1e-12);
  }
});

test('a latent is drawn from its distribution', () => {
  const { z } = evaluate(
    ({ mean, logVariance, noise }) => ({ z: sampleLatents({ mean, logVariance }, noise) }),
    {
      mean: hostArray([1]),
      logVariance: hostArray([Math.log(9)]),
      noise: hostArray([-2]),
    },
  );
  expect(z.item()).toBeCloseTo(-5, 6);
});

test('pixels', () => {
  const { pixels } = evaluate(({ x }) => ({ pixels: toPixels(x) }), {
    x: hostArray([-1, -1.5, 0, 0.0039, 0.9999, 1, 3]),
  });
  expect(pixels.dtype).toBe('int32');
  expect([...pixels.data]).toEqual([0, 0, 128, 128, 255, 255, 255]);
});

test.each([
  [{ channels: [] }, /channels: expected at least 1 of them/],
  [{ channels: [6], groups: 4 }, /groups divide the channels/],
  [{ blocks: 0 }, /blocks: expected more than 0, got 0/],
  [{ channels: [32, 0.5] }, /channels\[1\]: expected a whole number, got 0.5/],
])('refuses %j', (wrong, message) => {
  expect(() => sdVaeDecoder(wrong)).toThrow(message);
});
