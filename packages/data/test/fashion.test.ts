import { createHash } from 'node:crypto';
import { DataError, RandomKey } from '@meanflow/core';
import { gunzipSync, gzipSync } from 'fflate';
import { datasets, fashionDataset, type Dataset, type Split } from '../src/index.js';
import { openDataset, readAsset } from '../src/node.js';

const key = RandomKey.fromSeed(0);
const splits = ['train', 'test'] as const;
const assets = Promise.all(datasets.get('fashion').assets!.map((asset) => readAsset(asset)));

/** What each picture of a split is known by. */
function contents(dataset: Dataset, split: Split): string[] {
  const { x } = dataset.reference(split, key, 20_000);
  return Array.from({ length: x.shape[0]! }, (_, row) =>
    createHash('sha256')
      .update(x.rows(row, row + 1).data.slice())
      .digest('hex'),
  );
}

describe('fashion', () => {
  it('holds the published test images, as they were published', async () => {
    const fashion = await openDataset('fashion');
    expect(fashion).toMatchObject({ featureShape: [28, 28, 1], imageShape: [28, 28, 1], classCount: 10 });
    expect(fashion.classNames).toEqual('T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot'.split(',')); // prettier-ignore
    expect(fashion.classCounts).toEqual(new Array(10).fill(1000));
    const found = { sum: 0, least: 255, most: 0 };
    for (const split of splits)
      for (const value of fashion.reference(split, key, 20_000).x.data) {
        const pixel = Math.round((value + 1) * 127.5);
        found.sum += pixel;
        [found.least, found.most] = [Math.min(found.least, pixel), Math.max(found.most, pixel)];
      }
    // Python, of the file: sum, min and max of its bytes after the header.
    expect(found).toEqual({ sum: 573469082, least: 0, most: 255 });
  });

  it('judges by pictures that none is learnt from, as many of each class, whatever the seed', async () => {
    for (const options of [{}, { seed: 3, heldOut: 0.3 }]) {
      const fashion = fashionDataset(...((await assets) as [Uint8Array, Uint8Array]), options);
      const [train, test] = splits.map((split) => contents(fashion, split));
      expect([train!.length, test!.length]).toEqual(options.seed === 3 ? [7000, 3000] : [8000, 2000]);
      expect(new Set([...train!, ...test!]).size).toBe(10_000);
      const { label } = fashion.reference('test', key, 20_000);
      for (let kind = 0; kind < 10; kind++)
        expect(label!.data.filter((value) => value === kind)).toHaveLength(test!.length / 10);
      const drawn = contents({ ...fashion, reference: () => fashion.batch(key, 0, 8000) }, 'train');
      const judged = new Set(test);
      expect(drawn.some((picture) => judged.has(picture))).toBe(false);
    }
  });

  it('is divided alike every time, and otherwise with another seed', async () => {
    const [images, labels] = (await assets) as [Uint8Array, Uint8Array];
    const heldOut = (seed: number) => contents(fashionDataset(images, labels, { seed }), 'test');
    expect(heldOut(0)).toEqual(heldOut(0));
    expect(heldOut(1)).not.toEqual(heldOut(0));
  });

  it('has its channel first where a network wants it so', async () => {
    const [images, labels] = (await assets) as [Uint8Array, Uint8Array];
    const first = fashionDataset(images, labels, { layout: 'nchw' });
    expect(first.featureShape).toEqual([1, 28, 28]);
    expect(first.batch(key, 0, 4).x.data).toEqual(fashionDataset(images, labels).batch(key, 0, 4).x.data);
  });

  it('refuses files that are damaged, of other pictures, or in the wrong order', async () => {
    const [images, labels] = (await assets) as [Uint8Array, Uint8Array];
    expect(() => fashionDataset(images.subarray(0, -1), labels)).toThrow(DataError);
    expect(() => fashionDataset(images.subarray(0, 1e6), labels)).toThrow(
      'fashion-mnist/t10k-images-idx3-ubyte.gz: the gzip data is damaged or cut short',
    );
    expect(() => fashionDataset(labels, images)).toThrow('found an array [10000], expected images');
    const raw = gunzipSync(labels);
    raw[8 + 77] = 10;
    expect(() => fashionDataset(images, gzipSync(raw))).toThrow(
      't10k-labels-idx1-ubyte.gz: the label of image 77 is 10, expected at least two classes, from 0 to 9, as many as there are names.',
    );
    const wide = gunzipSync(images);
    new DataView(wide.buffer).setUint32(8, 14);
    new DataView(wide.buffer).setUint32(12, 56);
    expect(() => fashionDataset(wide, labels)).toThrow('found images of 14 × 56 × 1, expected 28 × 28 × 1');
  });
});
