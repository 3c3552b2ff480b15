/** Tasks made of images: what is known and hidden, small versions, and the same rows and masks for the same key. */
import { RandomKey } from '@meanflow/core';
import { denormalise, describeData, distributionDataset, eightGaussians, imageDataset, imageRows, inpainting, maskKinds, restoreKnown, superResolution, withTask, type ImageLayout } from '../../src/index.js'; // prettier-ignore
import { openDataset } from '../../src/node.js';

const key = RandomKey.fromSeed(6);
const [height, width, channels] = [6, 4, 3];
const pixels = RandomKey.fromSeed(1).integers([20 * height * width * channels], 0, 256);
const images = (layout: ImageLayout) =>
  imageDataset(
    imageRows(Uint8Array.from(pixels.data), {
      imageShape: [height, width, channels],
      labels: undefined,
      classNames: undefined,
    }),
    undefined,
    { name: 'noise', layout },
  );

describe.each(['nhwc', 'nchw'] as const)('images as %s', (layout) => {
  const dataset = images(layout);
  const isFirst = layout === 'nchw';
  /** The place in the mask of a number of an image. */
  const pixelOf = (at: number) => {
    const image = Math.floor(at / (height * width * channels));
    const within = at % (height * width * channels);
    return image * height * width + (isFirst ? within % (height * width) : Math.floor(within / channels));
  };

  test.each(maskKinds)('known pixels are the image’s own, hidden ones 0: %s', (kind) => {
    const task = inpainting(dataset, kind);
    expect(task.conditions!.known!.shape).toEqual(dataset.featureShape);
    expect(task.conditions!.mask!.shape).toEqual(isFirst ? [1, height, width] : [height, width, 1]);
    const { x, conditions } = task.batch(key, 2, 12);
    expect([...x.data]).toEqual([...dataset.batch(key, 2, 12).x.data]);
    const { known, mask } = conditions!;
    expect(known!.data.every((value, at) => value === (mask!.data[pixelOf(at)] === 1 ? x.data[at] : 0))).toBe(true);
    // Of every image something is hidden and something is known.
    for (let row = 0; row < 12; row++) {
      const sum = mask!.rows(row, row + 1).data.reduce((total, value) => total + value, 0);
      expect(sum).toBeGreaterThan(0);
      expect(sum).toBeLessThan(height * width);
    }
  }); // prettier-ignore

  test('known pixels come back in samples', () => {
    const task = inpainting(dataset);
    const { x, conditions } = task.reference('test', key, 3);
    const samples = RandomKey.fromSeed(8).normal(x.shape);
    const restored = restoreKnown(samples, conditions, task.imageShape);
    const isKnown = (at: number) => conditions!.mask!.data[pixelOf(at)] === 1;
    expect(restored.data.every((value, at) => value === (isKnown(at) ? x : samples).data[at])).toBe(true);
    expect(restoreKnown(samples, undefined, task.imageShape)).toBe(samples);
  });

  test('a small version holds the mean of every square at its place', () => {
    const task = superResolution(dataset, 2);
    const { x, conditions } = task.batch(key, 0, 2);
    const { data } = conditions!.low!;
    const at = (image: number, channel: number, y: number, left: number) =>
      isFirst
        ? ((image * channels + channel) * height + y) * width + left
        : ((image * height + y) * width + left) * channels + channel;
    for (const [image, channel, y, left] of [[0, 0, 0, 0], [1, 2, 4, 2], [1, 1, 2, 0]] as const) {
      const square = [[0, 0], [0, 1], [1, 0], [1, 1]].map(([i, j]) => at(image, channel, y + i!, left + j!));
      const mean = square.reduce((sum, place) => sum + x.data[place]! / 4, 0);
      for (const place of square) expect(data[place]).toBeCloseTo(mean, 6);
    }
  }); // prettier-ignore
});

test('masks follow from key and step', async () => {
  const digits = withTask(await openDataset('digits'), { kind: 'inpaint' });
  expect(digits.conditions!.known!.shape).toEqual([8, 8, 1]);
  const mask = (step: number, from = key) => digits.batch(from, step, 30).conditions!.mask!.data.join();
  expect(mask(1)).toBe(mask(1));
  expect(new Set([mask(0), mask(1), mask(2), mask(1, key.fold('other'))]).size).toBe(4);
  const held = (split: 'train' | 'test') => digits.reference(split, key, 20).conditions!.mask!.data.join();
  expect(held('test')).toBe(held('test'));
  expect(held('test')).not.toBe(held('train'));
  expect(describeData(digits)).toContain(
    'given known, an image of 8 × 8 × 1; given mask, a mask of 8 × 8 × 1;',
  );
});

test('known pixels are in the units of the image', async () => {
  const digits = withTask(await openDataset('digits'), { kind: 'super-resolution' });
  const { normalisation, shape } = digits.conditions!.low!;
  const { low } = digits.reference('test', key, 1).conditions!;
  const values = denormalise(normalisation, low!.clone()).data;
  expect(shape).toEqual([8, 8, 1]);
  // A mean of four whole numbers.
  expect(values.every((value) => Math.abs(4 * value - Math.round(4 * value)) < 1e-4)).toBe(true);
});

test('what is no image, and a factor that does not divide, are refused', () => {
  const points = distributionDataset(eightGaussians);
  expect(() => inpainting(points)).toThrow('Inpainting is of images, and "8-gaussians" has none.');
  expect(() => superResolution(points)).toThrow('Super-resolution is of images');
  expect(() => superResolution(images('nhwc'), 4)).toThrow(
    'divides the sides of images, here 6 and 4, got 4.',
  );
  expect(() => superResolution(images('nhwc'), 1)).toThrow('got 1.');
  expect(() => inpainting(images('nhwc'), 'hole' as never)).toThrow('mask');
  expect(() => withTask(points, { kind: 'inpant' } as never)).toThrow('Did you mean "inpaint"?');
});
