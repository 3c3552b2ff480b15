import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArgumentError, DataError, RandomKey } from '@meanflow/core';
import { datasets, denormalise, featureNames, openDataset as openNamed } from '../src/index.js';
import { openDataset } from '../src/node.js';
import { gzipSync } from 'fflate';

const key = RandomKey.fromSeed(0);

describe('openDataset', () => {
  it.each(datasets.names)('opens %s, with batches of its shape', async (name) => {
    const dataset = await openDataset(name);
    const { x, label } = dataset.batch(key, 5, 32);
    expect(dataset.name).toBe(name);
    expect(x.shape).toEqual([32, ...dataset.featureShape]);
    expect(label!.shape).toEqual([32]);
    expect(label!.data.every((value) => value >= 0 && value < dataset.classCount!)).toBe(true);
    expect(dataset.batch(key, 5, 32)).toEqual({ x, label });
    expect(dataset.batch(key, 6, 32).x.data).not.toEqual(x.data);
    expect(featureNames(dataset)).toHaveLength(x.size / 32);
    expect(dataset.classNames).toHaveLength(dataset.classCount!);
  });

  it('draws independent splits where samples never run out', async () => {
    const dataset = await openDataset('rings');
    const train = dataset.reference('train', key, 100);
    expect(dataset.reference('train', key, 100)).toEqual(train);
    expect(dataset.reference('test', key, 100).x.data).not.toEqual(train.x.data);
    expect(dataset.batch(key, 0, 100).x.data).not.toEqual(train.x.data);
  });

  it('reads the digits: 1,797 images with known pixels and labels', async () => {
    const digits = await openDataset('digits');
    expect(digits).toMatchObject({ featureShape: [64], imageShape: [8, 8, 1], classCount: 10 });
    expect(digits.sizes).toEqual({ train: 1438, test: 359 });
    const splits = (['train', 'test'] as const).map((split) => digits.reference(split, key, 2000));
    const counts = new Array<number>(10).fill(0);
    for (const { label } of splits) for (const value of label!.data) counts[value]++;
    // scikit-learn: numpy.bincount(load_digits().target), and load_digits().data.sum().
    expect(counts).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    const pixels = splits.flatMap(({ x }) => [...denormalise(digits.normalisation, x).data]);
    expect(pixels.reduce((sum, pixel) => sum + pixel, 0)).toBe(561718);
    const all = splits.flatMap(({ x }) => [...x.data]);
    expect([all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))]).toEqual([-1, 1]);
  });

  it('reads the wines in their own units', async () => {
    const wine = await openDataset('wine');
    expect(wine).toMatchObject({ featureShape: [13], classNames: ['class_0', 'class_1', 'class_2'] });
    const splits = (['train', 'test'] as const).map((split) => wine.reference(split, key, 2000));
    const rows = splits.flatMap(({ x }) => [...denormalise(wine.normalisation, x).data]);
    // scikit-learn: load_wine().data[:, 0].mean(), [:, 12].mean(), and the shape of the data.
    const mean = (column: number) =>
      rows.filter((_, i) => i % 13 === column).reduce((a, b) => a + b, 0) / 178;
    expect(rows).toHaveLength(178 * 13);
    expect(mean(0)).toBeCloseTo(13.000617977528083, 4);
    expect(mean(12)).toBeCloseTo(746.8932584269663, 2);
  });

  it('explains an unknown name', async () => {
    const open = () => openDataset('8gausians');
    await expect(open).rejects.toThrow(ArgumentError);
    await expect(open).rejects.toThrow(
      'There is no dataset "8gausians". Did you mean "8-gaussians"? Known are 8-gau',
    );
    await expect(openNamed('imagenet')).rejects.toThrow('There is no dataset "imagenet". Known are');
  });

  it('says how to reach a dataset that is a file, where files cannot be read', async () => {
    await expect(openNamed('digits')).rejects.toThrow(
      'The dataset "digits" needs `readAsset`, which reads "digits.csv.gz"',
    );
    const readAsset = async () => new TextEncoder().encode('1,2\n3,4');
    await expect(openNamed('digits', { readAsset })).rejects.toThrow('no label column 65');
    await expect(openNamed('wine', { readAsset })).rejects.toThrow(
      'row 1 is "1,2", expected "rows,13,class names"',
    );
  });

  it('refuses a label for a dataset that knows its own', async () => {
    await expect(openDataset('digits', { label: 'class' })).rejects.toThrow(
      'label and header are for CSV files',
    );
  });
});

describe('openDataset of a path', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'meanflow-data-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(['cat.png', 'cat.JPG', 'data_batch_1.bin'])('expects the folder of %s', async (name) => {
    await expect(openDataset(join(folder, name))).rejects.toThrow(
      `${name}: it is one file of images, expected the folder that they are in.`,
    );
  });

  it('reads a CSV file, compressed or not', async () => {
    const text = 'x,y,class\n1,2,a\n3,5,b\n4,7,a\n6,1,b\n';
    await writeFile(join(folder, 'points.csv'), text);
    await writeFile(join(folder, 'points.csv.gz'), gzipSync(new TextEncoder().encode(text)));
    const plain = await openDataset(join(folder, 'points.csv'), { label: 'class' });
    const compressed = await openDataset(join(folder, 'points.csv.gz'), { label: 'class' });
    expect(plain).toMatchObject({ name: 'points.csv', columns: ['x', 'y'], classNames: ['a', 'b'] });
    expect(compressed.batch(key, 0, 3)).toEqual(plain.batch(key, 0, 3));
  });

  it('names the file that cannot be read', async () => {
    const missing = join(folder, 'nowhere.csv');
    await expect(openDataset(missing)).rejects.toThrow(DataError);
    await expect(openDataset(missing)).rejects.toThrow(`${missing}: there is no such file.`);
    await expect(openDataset(folder)).rejects.toThrow('there is no image in it, expected a folder of images');
  });
});
