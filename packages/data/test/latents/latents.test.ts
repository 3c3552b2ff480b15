import { hostArray, HostArray, RandomKey } from '@meanflow/core';
import { denormalise, latentDataset, type LatentOptions } from '../../src/index.js';

const key = RandomKey.fromSeed(6);
const COUNT = 10;

/** Latents `[10, 4, 2, 3]` of values n + channel / 10 + place / 100, for latent n. */
const values = Float32Array.from({ length: COUNT * 24 }, (_, i) => {
  const [row, channel, place] = [Math.floor(i / 24), Math.floor(i / 6) % 4, i % 6];
  return row + channel / 10 + place / 100;
});
const latents = new HostArray('float32', [COUNT, 4, 2, 3], values);
const labels = hostArray(
  Array.from({ length: COUNT }, (_, i) => i % 2),
  { dtype: 'int32' },
);
const open = (options: LatentOptions = {}, of = latents) =>
  latentDataset({ latents: of, labels }, 'latents', { from: 'nchw', ...options });

describe('latentDataset', () => {
  it('says what it holds, and multiplies by 0.18215 as MeanFlow does', () => {
    const dataset = open();
    expect(dataset).toMatchObject({
      featureShape: [2, 3, 4],
      imageShape: undefined,
      classCount: 2,
      sizes: { train: 8, test: 2 },
    });
    const { x, label } = dataset.batch(key, 0, 8);
    for (let i = 0; i < 8; i++) {
      const row = Math.round(x.data[24 * i] / 0.18215);
      expect(label!.data[i]).toBe(row % 2);
      // Row by row, the channels of a place together.
      expect(x.data[24 * i + 5 * 4 + 3]).toBeCloseTo(0.18215 * (row + 0.3 + 0.05), 5);
    }
    expect(open().batch(key, 0, 8)).toEqual({ x, label });
  });

  it.each(['nhwc', 'nchw'] as const)('comes back from its normalisation in %s', (layout) => {
    for (const scale of ['none', 'meanflow', 'improved-meanflow'] as const) {
      const dataset = open({ layout, scale, seed: 1 });
      const plain = open({ layout, scale: 'none', seed: 1 }).reference('train', key, 8).x;
      const { x } = dataset.reference('train', key, 8);
      denormalise(dataset.normalisation, x).data.forEach((value, i) =>
        expect(value).toBeCloseTo(plain.data[i], 4),
      );
    }
  });

  it('normalises channel by channel as improved MeanFlow does', () => {
    const { x } = open({ scale: 'improved-meanflow' }).reference('train', key, 8);
    const plain = open({ scale: 'none' }).reference('train', key, 8).x;
    expect(x.data[1]).toBeCloseTo((plain.data[1] + 0.27787343) / 5.31922414, 6);
    expect(x.data[3]).toBeCloseTo((plain.data[3] - 0.3738409) / 3.9870003, 6);
  });

  it('draws from moments anew at each step, the same for the same key', () => {
    const count = 2000;
    const moments = new Float32Array(count * 4);
    for (let i = 0; i < count; i++) moments.set([3, -1, Math.log(4), -60], 4 * i);
    const array = new HostArray('float32', [count, 4, 1, 1], moments);
    const dataset = latentDataset({ latents: array }, 'm', { form: 'log-variance', scale: 'none' });
    expect(dataset).toMatchObject({ featureShape: [1, 1, 2], classCount: undefined });
    const { x } = dataset.batch(key, 0, 1500);
    expect(dataset.batch(key, 0, 1500).x).toEqual(x);
    expect(dataset.batch(key, 1, 1500).x.data).not.toEqual(x.data);
    const first = x.data.filter((_, i) => i % 2 === 0);
    const mean = first.reduce((sum, value) => sum + value, 0) / 1500;
    const variance = first.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 1500;
    // Four standard errors.
    expect(Math.abs(mean - 3)).toBeLessThan(4 * (2 / Math.sqrt(1500)));
    expect(Math.abs(variance - 4)).toBeLessThan(4 * 4 * Math.sqrt(2 / 1500));
    // A log variance is held at −30.
    expect(x.data.filter((_, i) => i % 2 === 1).every((value) => Math.abs(value + 1) < 1e-5)).toBe(true);
    const deviations = new HostArray(
      'float32',
      [count, 4, 1, 1],
      moments.map((value, i) => (i % 4 === 2 ? 2 : i % 4 === 3 ? 0 : value)),
    );
    const same = latentDataset({ latents: deviations }, 'm', { form: 'deviation', scale: 'none' }).batch(
      key,
      0,
      1500,
    ).x;
    same.data.forEach((value, i) => expect(value).toBeCloseTo(x.data[i], 4));
  });

  it('refuses what are no latents, and labels and scales that do not fit', () => {
    expect(() => open({}, latents.reshape([COUNT, 24]))).toThrow('found latents [10, 24], expected');
    expect(() => open({}, latents.rows(0, 2))).toThrow('of at least 3');
    const broken = latents.clone();
    broken.data[50] = NaN;
    expect(() => open({}, broken)).toThrow('values that are not finite');
    expect(() => open({ form: 'log-variance' }, latents.reshape([COUNT, 3, 2, 4]))).toThrow(
      'found 3 channels',
    );
    expect(() => open({ scale: { mean: [0], deviation: [1] } })).toThrow('have 4 channels');
    expect(() => open({ scale: { mean: [0, 0, 0, 0], deviation: [1, 1, 1, 0] } })).toThrow(
      'positive deviation',
    );
    expect(() => open({ classCount: 1 })).toThrow('found the label 1, expected 0 to 0');
    const damaged = labels.clone();
    damaged.data[3] = 2 ** 31 - 1;
    const numbers = { from: 'nchw', labelMeaning: 'numbers' } as const;
    expect(() => latentDataset({ latents, labels: damaged }, 'l', numbers)).toThrow(
      'found labels of 2147483648 classes, expected at most 1000000',
    );
    const few = hostArray([1, 2], { dtype: 'int32' });
    expect(() => latentDataset({ latents, labels: few }, 'l', numbers)).toThrow(
      'found labels [2], expected one for each of 10',
    );
    const halves = hostArray(new Array(COUNT).fill(0.5));
    expect(() => latentDataset({ latents, labels: halves }, 'l', numbers)).toThrow('found the label 0.5');
  });
});
