import { RandomKey } from '@meanflow/core';
import {
  denormalise,
  imageDataset,
  imageRows,
  type Dataset,
  type ImageOptions,
  type ImageRows,
} from '../../src/index.js';

const key = RandomKey.fromSeed(4);
const COUNT = 40;

/** Image i of 2×3 pixels holds i and its places, so that what happened to it can be read off. */
function numbered(count = COUNT, classes = 4): ImageRows {
  const pixels = Uint8Array.from({ length: count * 18 }, (_, i) => (Math.floor(i / 18) % 14) * 18 + (i % 18));
  return imageRows(pixels, {
    imageShape: [2, 3, 3],
    labels: Int32Array.from({ length: count }, (_, i) => i % classes),
    classNames: Array.from({ length: classes }, (_, i) => `class ${i}`),
  });
}
const open = (options: ImageOptions = {}, test?: ImageRows) =>
  imageDataset(numbered(), test, { name: 'numbers', ...options });

/** Pixels of 0 to 255, whole. */
function pixelsOf(dataset: Dataset, x: Parameters<typeof denormalise>[1]): number[] {
  return [...denormalise(dataset.normalisation, x).data].map((value) => Math.round(value));
}

describe('imageDataset', () => {
  it('says what it holds', () => {
    expect(open()).toMatchObject({
      featureShape: [2, 3, 3],
      imageShape: [2, 3, 3],
      classCount: 4,
      sizes: { train: 32, test: 8 },
    });
    expect(open({ layout: 'nchw' }).featureShape).toEqual([3, 2, 3]);
    expect(open({}, numbered(6)).sizes).toEqual({ train: 40, test: 6 });
  });

  it('gives images from −1 to 1 in either layout, with their classes', () => {
    const { x, label } = open().reference('train', key, COUNT);
    expect(x.data.every((value) => value >= -1 && value <= 1)).toBe(true);
    const pixels = pixelsOf(open(), x);
    for (let i = 0; i < 32; i++) {
      const [first] = pixels.slice(18 * i);
      expect(pixels.slice(18 * i, 18 * i + 18)).toEqual(Array.from({ length: 18 }, (_, k) => first + k));
      // Image n is of class n mod 4, and n mod 14 can be read off.
      expect([0, 1, 2].some((round) => (first / 18 + 14 * round) % 4 === label!.data[i])).toBe(true);
    }
    const channelsFirst = open({ layout: 'nchw' }).reference('train', key, COUNT).x;
    expect(channelsFirst.shape).toEqual([32, 3, 2, 3]);
    expect(channelsFirst.data[2 * 6 + 5]).toBe(x.data[5 * 3 + 2]);
  });

  it('visits every image once in an epoch, each epoch in another order, at any step alone', () => {
    const firsts: number[] = [];
    for (let step = 0; step < 8; step++) {
      const pixels = pixelsOf(open(), open().batch(key, step, 8).x);
      firsts.push(...Array.from({ length: 8 }, (_, i) => pixels[18 * i]));
    }
    const [one, two] = [firsts.slice(0, 32), firsts.slice(32)];
    const sorted = (values: number[]) => [...values].sort((a, b) => a - b);
    expect(sorted(one)).toEqual(sorted(two));
    expect(one).not.toEqual(two);
    const all = pixelsOf(open(), open().reference('train', key, COUNT).x).filter((_, i) => i % 18 === 0);
    expect(sorted(one)).toEqual(sorted(all));
  });

  it('flips half of the training images, by key and step, and none to judge by', () => {
    const flipped = open({ flip: true });
    let turned = 0;
    for (let step = 0; step < 40; step++) {
      const plain = open().batch(key, step, 8);
      const batch = flipped.batch(key, step, 8);
      expect(flipped.batch(key, step, 8)).toEqual(batch);
      expect(batch.label).toEqual(plain.label);
      for (let i = 0; i < 8; i++) {
        const [is, was] = [batch.x, plain.x].map((x) => [...x.rows(i, i + 1).data]);
        const mirrored = [6, 7, 8, 3, 4, 5, 0, 1, 2].flatMap((at) => [was[at]]);
        if (is[0] !== was[0]) {
          turned++;
          expect(is.slice(0, 9)).toEqual(mirrored);
        } else expect(is).toEqual(was);
      }
    }
    // Four standard deviations of 320 coins.
    expect(Math.abs(turned - 160)).toBeLessThan(36);
    expect(flipped.reference('test', key, 8)).toEqual(open().reference('test', key, 8));
  });

  it('crops with a border of black at every place, and the same after a resume', () => {
    const cropped = open({ cropPadding: 1 });
    const places = new Set<string>();
    for (let step = 0; step < 40; step++) {
      const was = pixelsOf(open(), open().batch(key, step, 8).x);
      const is = pixelsOf(cropped, cropped.batch(key, step, 8).x);
      for (let i = 0; i < 8; i++) {
        const at = (values: number[], y: number, x: number) =>
          y < 0 || y > 1 || x < 0 || x > 2 ? 0 : values[18 * i + (y * 3 + x) * 3 + 1];
        const moved = [-1, 0, 1]
          .flatMap((down) => [-1, 0, 1].map((right) => [down, right]))
          .filter(([down, right]) =>
            [0, 1].every((y) => [0, 1, 2].every((x) => at(is, y, x) === at(was, y + down, x + right))),
          );
        expect(moved).toHaveLength(1);
        places.add(moved[0].join());
      }
    }
    expect(places.size).toBe(9);
    expect(cropped.batch(key, 17, 8)).toEqual(open({ cropPadding: 1 }).batch(RandomKey.fromSeed(4), 17, 8));
  });

  it('tells the images which come next', () => {
    const asked: number[][] = [];
    const dataset = imageDataset(
      { ...numbered(), readAhead: (rows) => void asked.push([...rows]) },
      undefined,
      { name: 'n' },
    );
    const read: number[] = [];
    const watched = imageDataset(
      { ...numbered(), read: (row) => (read.push(row), numbered().read(row)) },
      undefined,
      { name: 'n' },
    );
    dataset.batch(key, 3, 8);
    watched.batch(key, 4, 8);
    expect(asked).toEqual([read]);
  });

  it('refuses sets that do not fit, and options out of range', () => {
    const small = { ...numbered(5), imageShape: [3, 2, 3] as const };
    expect(() => open({}, small)).toThrow('training images of 2 by 3 by 3 and test images of 3 by 2 by 3');
    expect(() => open({}, numbered(6, 3))).toThrow(
      '"numbers" has the classes class 0, class 1, class 2, class 3 in',
    );
    expect(() => imageDataset(numbered(2), undefined, { name: 'two' })).toThrow('"two" holds 2 images');
    expect(() => open({ cropPadding: 1.5 })).toThrow('whole number of pixels, got 1.5');
    expect(() => open({ heldOut: 1 })).toThrow('is from 0, below 1, got 1');
    const all = imageDataset(numbered(4), undefined, { name: 'all', heldOut: 0 });
    expect(all.sizes).toEqual({ train: 4, test: 0 });
    expect(all.reference('train', key, 9).x.shape[0]).toBe(4);
    expect(() => all.reference('test', key, 1)).toThrow('No rows of "all" are held out to judge by');
    expect(() => open().batch(key, -1, 2)).toThrow('got step -1');
  });
});
