import { readFileSync } from 'node:fs';
import { hostArray, jvp, RandomKey, sub, treeLeaves, type HostArray, type Tensor } from '@meanflow/core';
import { songUNet, type ParameterSpec, type SongUNetConfig } from '../../src/index.js';
import { publishedParameters, publishedBuffers } from '../../src/published.js';
import { evaluate, relativeError } from '../helpers.js';

/** That of CIFAR-10. */
const cifar: SongUNetConfig = {
  kind: 'song-unet',
  featureShape: [3, 32, 32],
  channels: 128,
  channelMultipliers: [2, 2, 2],
  blocks: 4,
  attentionResolutions: [16],
};
const small: SongUNetConfig = {
  ...cifar,
  featureShape: [2, 8, 8],
  channels: 4,
  channelMultipliers: [1, 2],
  blocks: 1,
  attentionResolutions: [8],
};
const key = RandomKey.fromSeed(3);

interface Published {
  readonly parameterCount: number;
  readonly parameterCountWithAugmentation: number;
  readonly parameters: Readonly<Record<string, number[]>>;
  readonly buffers: Readonly<Record<string, number[]>>;
}
const published = JSON.parse(
  readFileSync(new URL('../data/song-unet-cifar10.json', import.meta.url), 'utf8'),
) as Published;

describe('the published U-Net for CIFAR-10', () => {
  const shapes = (list: readonly { readonly name: string; readonly shape: readonly number[] }[]) =>
    Object.fromEntries(list.map(({ name, shape }) => [name.replace(/^net\./, ''), shape]));

  test('counts', () => {
    expect(songUNet(cifar).parameterCount).toBe(published.parameterCount);
    expect(songUNet({ ...cifar, augmentWidth: 6 }).parameterCount).toBe(
      published.parameterCountWithAugmentation,
    );
  });

  test('names and shapes', () => {
    expect(shapes(publishedParameters({ ...cifar, augmentWidth: 6 }))).toEqual(published.parameters);
  });

  test('buffers', () => {
    const buffers = publishedBuffers(cifar);
    expect(shapes(buffers)).toEqual(published.buffers);
    expect([...buffers[0].value.data]).toEqual(
      [1, 3, 3, 1, 3, 9, 9, 3, 3, 9, 9, 3, 1, 3, 3, 1].map((x) => x / 64),
    );
  });

  test('was not published in JAX', () => {
    expect(() => publishedParameters(cifar, 'jax')).toThrow(/No jax code was published.*sources: torch/);
  });
});

/** Values of a small network at random parameters, all of them away from 0. */
function values(config: SongUNetConfig, augment?: HostArray<'float32'>) {
  const network = songUNet(config);
  const params = lively(network.init(key));
  const size = config.featureShape;
  const inputs = {
    params,
    z: key.fold('z').normal([3, ...size]),
    v: key.fold('v').normal([3, ...size]),
    t: hostArray([0.9, 0.7, 0.4]),
    r: hostArray([0.2, 0.7, 0]),
    ...(augment ? { augment } : {}),
    ...(network.drawDropout ? { dropout: network.drawDropout(key.fold('dropout'), 3) } : {}),
  };
  return evaluate(({ params, z, v, t, r, augment, dropout }) => {
    const f = (z: Tensor, t: Tensor, r: Tensor) =>
      network.apply(params, { z, t, h: sub(t, r), augment, dropout }).u;
    const [u, dudt] = jvp(f, [z, t, r], [v, 1, 0]);
    return { u, dudt };
  }, inputs);
}

/** Layers that start near zero hide what is before them. */
function lively<P>(params: P): P {
  for (const leaf of treeLeaves<HostArray>(params as never)) {
    const noise = key.fold(leaf.shape.join()).normal(leaf.shape).data;
    leaf.data.forEach((_, i) => (leaf.data[i] += 0.2 * noise[i]));
  }
  return params;
}

test('every sample is computed for itself, at every kind of resolution', () => {
  const three: SongUNetConfig = {
    ...small,
    channelMultipliers: [1, 2, 1],
    attentionResolutions: [4],
    resampleFilter: [1, 1],
  };
  const { u, dudt } = values(three);
  expect(u.shape).toEqual([3, 2, 8, 8]);
  expect(dudt.shape).toEqual([3, 2, 8, 8]);
  expect([...u.data, ...dudt.data].every(Number.isFinite)).toBe(true);
});

test('augmentation labels: zero is none, and each column counts', () => {
  const config = { ...small, augmentWidth: 2 };
  const without = values(config).u;
  const none = values(config, hostArray(new Float32Array(6), { shape: [3, 2] })).u;
  expect(relativeError(none, without)).toBe(0);
  for (const label of [
    [1, 0],
    [0, 1],
  ]) {
    const { u } = values(config, hostArray([...label, 0, 0, 0, 0], { shape: [3, 2] }));
    expect(relativeError(u.rows(0, 1), without.rows(0, 1))).toBeGreaterThan(1e-3);
    expect(relativeError(u.rows(1, 3), without.rows(1, 3))).toBe(0);
  }
});

test('dropout acts while it is drawn, and only then', () => {
  const dropped = { ...small, dropout: 0.5 };
  expect(songUNet(small).drawDropout).toBeUndefined();
  expect(relativeError(values(dropped).u, values(small).u)).toBeGreaterThan(1e-2);
  const network = songUNet(dropped);
  // One for each block: on the way down block, down, block; on the way up in0, in1, 2 blocks, up, 2 blocks.
  expect(network.drawDropout!(key, 3).map(({ channels, places }) => [channels.shape[2], ...places.shape])).toEqual([
    [4, 2, 8, 8], [4, 2, 4, 4], [8, 2, 4, 4],
    [8, 2, 4, 4], [8, 2, 4, 4], [8, 2, 4, 4], [8, 2, 4, 4], [8, 2, 8, 8], [4, 2, 8, 8], [4, 2, 8, 8],
  ]); // prettier-ignore
  const inputs = { params: network.init(key), z: key.normal([2, 2, 8, 8]), t: hostArray([0.5, 0.5]) };
  const run = (config: SongUNetConfig) =>
    evaluate(({ params, z, t }) => ({ u: songUNet(config).apply(params, { z, t, h: t }).u }), inputs).u;
  expect(relativeError(run(dropped), run(small))).toBe(0);
});

test.each<[Partial<SongUNetConfig>, RegExp]>([
  [{ featureShape: [2, 8, 4] }, /images of \[channels, size, size\]/],
  [{ featureShape: [2, 9, 9] }, /size divisible by 2.*got \[2, 9, 9\]/],
  [{ featureShape: [8, 8] }, /images of/],
  [{ channelMultipliers: [] }, /channelMultipliers: expected at least 1 of them/],
  [{ channelMultipliers: [1, 0] }, /channelMultipliers\[1\]: expected more than 0/],
  [{ channels: 6 }, /18 channels, which do not divide/],
  [{ channels: 2 }, /2 channels, which do not divide/],
  [{ blocks: 1.5 }, /blocks: expected a whole number/],
  [{ resampleFilter: [1, 2, 1] }, /an even number of taps/],
  [{ resampleFilter: [1, -1] }, /whose sum is not 0/],
  [{ dropout: 1 }, /dropout: expected less than 1, got 1/],
  [{ augmentWidth: 0 }, /augmentWidth: expected more than 0/],
  [{ channels: 1, timeMultiplier: 3 }, /features of a time/],
])('refuses %j', (wrong, message) => {
  expect(() => songUNet({ ...small, ...wrong })).toThrow(message);
});

test('refuses conditions that it does not take', () => {
  const inputs = { params: songUNet(small).init(key), z: key.normal([1, 2, 8, 8]), t: hostArray([0.5]) };
  const apply = (extra: (t: Tensor) => object) =>
    evaluate(
      ({ params, z, t }) => ({ u: songUNet(small).apply(params, { z, t, h: t, ...extra(t) }).u }),
      inputs,
    );
  expect(() => apply((t) => ({ omega: t }))).toThrow(/no guidance conditions/);
  expect(() => apply(() => ({ label: hostArray([0], { dtype: 'int32' }) }))).toThrow(/set classCount/);
  expect(() => apply((t) => ({ augment: t }))).toThrow(/set augmentWidth/);
});

test('specifications are what initial parameters are', () => {
  const network = songUNet({ ...small, augmentWidth: 2 });
  const shapes = (tree: unknown) =>
    treeLeaves<HostArray | ParameterSpec>(tree as never).map(({ shape }) => shape);
  expect(shapes(network.init(key))).toEqual(shapes(network.specs));
});

describe('classes', () => {
  const config: SongUNetConfig = { ...small, classCount: 3 };
  const network = songUNet(config);
  const params = lively(network.init(key));
  const inputs = { z: key.fold('z').normal([4, 2, 8, 8]), t: hostArray([0.9, 0.7, 0.4, 0.2]) };
  const outputs = (given: object, label?: readonly number[]) =>
    evaluate(
      ({ given: p, z, t, label: of }: { given: never; z: Tensor; t: Tensor; label?: Tensor }) => ({
        u: network.apply(p, { z, t, h: t, ...(of && { label: of }) }).u,
      }),
      { given, ...inputs, ...(label && { label: hostArray([...label], { dtype: 'int32' }) }) } as never,
    ) as { u: HostArray };

  test('leave a network without them as it was', () => {
    const { condition, ...others } = network.init(key);
    const { label, ...rest } = condition;
    expect(label!.kernel.shape).toEqual([3, 16]);
    expect({ ...others, condition: rest }).toEqual(songUNet(small).init(key));
  });

  test('are added to the features of the times, √classes times the row of each, and the bias alone where there is none', () => {
    const { label, hidden } = params.condition;
    const [width, features] = [hidden.bias!.size, 16];
    // Through the layer after it, that is another bias.
    const shifted = (row: number | undefined) => {
      const bias = hidden.bias!.data.map((value, j) => {
        let sum = value;
        for (let i = 0; i < features; i++) {
          const added = label!.bias!.data[i]! + (row === undefined ? 0 : Math.sqrt(3) * label!.kernel.data[row * features + i]!);
          sum += added * hidden.kernel.data[i * width + j]!;
        }
        return sum;
      }); // prettier-ignore
      const plain = { ...params.condition, label: undefined, hidden: { ...hidden, bias: hostArray(bias, { shape: [width] }) } };
      const without = songUNet(small);
      const { u } = evaluate(
        ({ given, z, t }) => ({ u: without.apply(given as never, { z, t, h: t }).u }),
        { given: { ...params, condition: plain }, ...inputs } as never,
      ) as { u: HostArray };
      return u;
    }; // prettier-ignore
    const { u } = outputs(params, [2, 0, 3, 1]);
    [2, 0, undefined, 1].forEach((row, i) =>
      expect(relativeError(u.rows(i, i + 1), shifted(row).rows(i, i + 1))).toBeLessThan(1e-5),
    );
    expect(relativeError(outputs(params).u, shifted(undefined))).toBeLessThan(1e-5);
  });

  test('have the name of the published code', () => {
    const found = publishedParameters({ ...cifar, classCount: 10 }).filter(({ name }) =>
      name.includes('map_label'),
    );
    expect(found.map(({ name, shape }) => [name, shape])).toEqual([
      ['net.map_label.bias', [512]],
      ['net.map_label.weight', [512, 10]],
    ]);
  });
});
