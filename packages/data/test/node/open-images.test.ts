import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ArgumentError, DataError, hostArray, type HostArray, RandomKey } from '@meanflow/core';
import { encodeNpz } from '@meanflow/formats';
import { encode } from 'fast-png';
import { denormalise, type Dataset } from '../../src/index.js';
import { openDataset, openImages, type ImageFolderConfig } from '../../src/node.js';
import { imageFile } from '../images/read-images.js';

const key = RandomKey.fromSeed(2);
let root: string;
let made = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'meanflow-images-'));
});
afterAll(() => rm(root, { recursive: true }));

/** A folder with these files. */
async function folderOf(files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const folder = join(root, `folder-${made++}`);
  await mkdir(folder);
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
  return folder;
}

/** A PNG of one colour. */
function plain(colour: readonly number[], width = 6, height = 6): Uint8Array {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => colour[i % 3]);
  return encode({ width, height, data, channels: 3, depth: 8 });
}

/** Ten images of two classes, each of a red of its own. */
const ten = Object.fromEntries(
  Array.from({ length: 10 }, (_, i) => [
    `${i % 2 ? 'dog' : 'cat'}/${i}.png`,
    plain([20 * i, 100, i % 2 ? 200 : 50]),
  ]),
);
/** Without a thread, which is not started from source here. */
const open = (path: string, options: Partial<ImageFolderConfig> = {}) =>
  openImages({ kind: 'image-folder', path, readAhead: false, ...options });

function firstPixels(dataset: Dataset, x: HostArray): number[][] {
  const size = x.size / x.shape[0];
  const values = denormalise(dataset.normalisation, x).data;
  return Array.from({ length: x.shape[0] }, (_, i) =>
    [...values.subarray(i * size, i * size + 3)].map(Math.round),
  );
}

describe('openImages of a folder', () => {
  it('has no classes where none are needed and there are not two', async () => {
    const flat = await folderOf({
      'a.png': plain([1, 2, 3]),
      'b.png': plain([4, 5, 6]),
      'c.png': plain([7, 8, 9]),
    });
    const single = await folderOf({
      'only/a.png': plain([1, 2, 3]),
      'only/b.png': plain([4, 5, 6]),
      'only/c.png': plain([7, 8, 9]),
    });
    for (const folder of [flat, single]) {
      const dataset = await open(folder, { classes: 'optional' });
      expect(dataset).toMatchObject({ classNames: undefined, sizes: { train: 2, test: 1 } });
      expect(dataset.batch(key, 0, 2).label).toBeUndefined();
      await expect(open(folder)).rejects.toThrow('at least two classes');
    }
    expect(await open(await folderOf(ten), { classes: 'optional' })).toMatchObject({
      classNames: ['cat', 'dog'],
    });
    await expect(open(await folderOf({}), { classes: 'optional' })).rejects.toThrow(
      'there is no image in it',
    );
  });

  it('has a class for each folder, in order, and pixels as they are', async () => {
    const dataset = await open(await folderOf(ten));
    expect(dataset).toMatchObject({
      featureShape: [6, 6, 3],
      classNames: ['cat', 'dog'],
      sizes: { train: 8, test: 2 },
    });
    const { x, label } = dataset.reference('train', key, 8);
    for (const [i, [red, green, blue]] of firstPixels(dataset, x).entries()) {
      expect([green, blue]).toEqual([100, label!.data[i] === 1 ? 200 : 50]);
      expect((red / 20) % 2).toBe(label!.data[i]);
    }
  });

  it('gives a step its batch whatever was read before, and however little is kept', async () => {
    const folder = await folderOf(ten);
    const dataset = await open(folder);
    const batches = [0, 1, 2, 3].map((step) => dataset.batch(key, step, 5));
    for (const cacheBytes of [0, 200, 300]) {
      const other = await open(folder, { cacheBytes });
      expect([3, 1, 2, 0].map((step) => other.batch(key, step, 5))).toEqual(
        [3, 1, 2, 0].map((step) => batches[step]),
      );
    }
  });

  it('crops images of any size, grey and transparent ones too, to one size', async () => {
    const folder = await folderOf({
      'a/x.png': imageFile('rgba.png'),
      'a/deep/y.JPEG': imageFile('420.jpg'),
      'a/.DS_Store': Uint8Array.of(1),
      'b/x.png': imageFile('grey.png'),
      'b/y.png': plain([1, 2, 3], 50, 40),
    });
    await expect(open(folder)).rejects.toThrow('the images are of different sizes: give a size');
    const dataset = await open(folder, { size: 8, layout: 'nchw' });
    expect(dataset.featureShape).toEqual([3, 8, 8]);
    expect(dataset.batch(key, 0, 3).x.data.every((value) => value >= -1 && value <= 1)).toBe(true);
    expect((await open(folder, { size: 8, channels: 1 })).featureShape).toEqual([8, 8, 1]);
  });

  it('takes folders named train and test as the two splits', async () => {
    const files = Object.entries(ten).map(([name, bytes], i) => [
      `${i < 6 ? 'train' : 'val'}/${name}`,
      bytes,
    ]);
    const dataset = await open(await folderOf(Object.fromEntries(files)));
    expect(dataset.sizes).toEqual({ train: 6, test: 4 });
    expect(firstPixels(dataset, dataset.reference('test', key, 4).x).map(([red]) => red)).toEqual([
      120, 160, 140, 180,
    ]);
  });

  it('judges by the test images where there are others for validation, and sees no class in the three', async () => {
    const files = Object.entries(ten).map(([name, bytes], i) => [
      `${i < 4 ? 'train' : i < 6 ? 'val' : 'test'}/${name}`,
      bytes,
    ]);
    const dataset = await open(await folderOf(Object.fromEntries(files)));
    expect(dataset).toMatchObject({ classNames: ['cat', 'dog'], sizes: { train: 4, test: 4 } });
  });

  it('passes over no class that is a link', async () => {
    const folder = await folderOf(ten);
    await symlink(join(folder, 'cat'), join(folder, 'bird'));
    await expect(open(folder)).rejects.toThrow(`${join(folder, 'bird')}: it is a link to a folder`);
  });

  it('refuses a folder without classes, with one, or with an empty one', async () => {
    const none = await folderOf({ 'x.png': plain([1, 2, 3]) });
    await expect(open(none)).rejects.toThrow(
      `${none}: found no folder in it, expected a folder of images for each`,
    );
    const one = await folderOf({ 'cat/x.png': plain([1, 2, 3]) });
    await expect(open(one)).rejects.toThrow(`${one}: found one folder, "cat" in it`);
    const empty = await folderOf({ 'cat/x.png': plain([1, 2, 3]), 'dog/.keep': new Uint8Array(0) });
    await expect(open(empty)).rejects.toThrow(`${join(empty, 'dog')}: there is no image in this class.`);
    await expect(open(join(root, 'nowhere'))).rejects.toThrow('nowhere: there is no such file');
    await expect(open(join(one, 'cat', 'x.png'))).rejects.toThrow(
      'it is a file, expected a folder of images',
    );
  });

  it('names the file that is no image when it opens the folder, and a damaged one when it reads it', async () => {
    const text = await folderOf({ ...ten, 'cat/notes.txt': new TextEncoder().encode('a list of cats') });
    await expect(open(text)).rejects.toThrow(
      `${join(text, 'cat', 'notes.txt')}: found a file that begins with 61 20 6c`,
    );
    const huge = await folderOf(ten);
    const bomb = plain([0, 0, 0]).slice();
    new DataView(bomb.buffer).setUint32(16, 100_000);
    new DataView(bomb.buffer).setUint32(20, 100_000);
    await writeFile(join(huge, 'dog', 'bomb.png'), bomb);
    await expect(open(huge)).rejects.toThrow('bomb.png: the PNG image says it has 100000 by 100000 pixels');
    const cut = await folderOf({ ...ten, 'cat/cut.png': plain([1, 2, 3]).subarray(0, 60) });
    const dataset = await open(cut);
    expect(() => dataset.batch(key, 0, 20)).toThrow(
      `${join(cut, 'cat', 'cut.png')}: the PNG image is cut short.`,
    );
    const gone = await folderOf(ten);
    await symlink(join(root, 'nothing'), join(gone, 'cat', 'link.png'));
    await expect(open(gone)).rejects.toThrow(`${join(gone, 'cat', 'link.png')}: there is no such file.`);
  });

  it('refuses options out of range', async () => {
    const folder = await folderOf(ten);
    await expect(open(folder, { size: 0 })).rejects.toThrow(ArgumentError);
    await expect(open(folder, { channels: 2 as 1 })).rejects.toThrow('1 or 3 channels, got 2');
    await expect(open(folder, { cacheBytes: -1 })).rejects.toThrow('got -1');
  });
});

describe('openDataset of a path', () => {
  const idx = (shape: number[], data: number[]) => {
    const lengths = shape.flatMap((length) => [0, 0, 0, length]);
    return Uint8Array.of(0, 0, 8, shape.length, ...lengths, ...data);
  };

  it('opens a folder of images', async () => {
    const folder = await folderOf(ten);
    const dataset = await openDataset(folder, { readAhead: false, size: 4, flip: true });
    expect(dataset).toMatchObject({ imageShape: [4, 4, 3], classCount: 2 });
    await expect(openDataset(folder, { label: 'class' })).rejects.toThrow(
      'label and header are for CSV files',
    );
  });

  it('opens MNIST’s files, by the folder or the file of images', async () => {
    const folder = await folderOf({
      'train-images-idx3-ubyte': idx([4, 1, 2], [0, 1, 2, 3, 4, 5, 6, 7]),
      'train-labels-idx1-ubyte': idx([4], [0, 1, 0, 2]),
      't10k-images-idx3-ubyte': idx([2, 1, 2], [9, 9, 8, 8]),
      't10k-labels-idx1-ubyte': idx([2], [1, 0]),
    });
    const expected = { imageShape: [1, 2, 1], classCount: 3, sizes: { train: 4, test: 2 } };
    const dataset = await openDataset(folder);
    expect(dataset).toMatchObject(expected);
    expect([...dataset.reference('test', key, 2).label!.data]).toEqual([1, 0]);
    expect(await openDataset(join(folder, 'train-images-idx3-ubyte'))).toMatchObject(expected);
    await rm(join(folder, 't10k-labels-idx1-ubyte'));
    expect(await openDataset(folder)).toMatchObject({ sizes: { train: 3, test: 1 } });
    await writeFile(join(folder, 'train-labels-idx1-ubyte'), idx([3], [0, 1, 2]));
    await expect(openDataset(folder)).rejects.toThrow(
      'train-labels-idx1-ubyte: found labels [3], expected [4]',
    );
  });

  it('opens CIFAR’s binary files, with the names of the classes', async () => {
    const batch = (labels: number[]) =>
      Uint8Array.from(labels.flatMap((label) => [label, ...new Array<number>(3072).fill(label)]));
    const names = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ');
    const folder = await folderOf({
      ...Object.fromEntries([1, 2, 3, 4, 5].map((i) => [`data_batch_${i}.bin`, batch([i, i + 1])])),
      'test_batch.bin': batch([3]),
      'batches.meta.txt': new TextEncoder().encode(`${names.join('\n')}\n\n`),
    });
    const dataset = await openDataset(folder);
    expect(dataset).toMatchObject({ name: 'cifar-10', classNames: names, sizes: { train: 10, test: 1 } });
    await writeFile(join(folder, 'data_batch_3.bin'), batch([1, 2]).subarray(0, 6000));
    await expect(openDataset(folder)).rejects.toThrow(
      'data_batch_3.bin: found 6000 bytes, expected a whole number',
    );
    await rm(join(folder, 'data_batch_3.bin'));
    await expect(openDataset(folder)).rejects.toThrow('data_batch_3.bin: there is no such file');
    const fine = Uint8Array.from(
      [0, 1].flatMap((label) => [label, 50 + label, ...new Array<number>(3072).fill(label)]),
    );
    const hundred = await folderOf({ 'train.bin': fine, 'test.bin': fine });
    expect(await openDataset(hundred)).toMatchObject({ name: 'cifar-100', classCount: 100 });
    expect(await openImages({ kind: 'cifar-100', path: hundred, labels: 'coarse' })).toMatchObject({
      classCount: 20,
    });
  });

  it('opens latents of an npz file, or by the reader that is given', async () => {
    const latents = key.normal([6, 4, 2, 2]);
    const labels = hostArray([0, 1, 0, 1, 0, 1], { dtype: 'int32' });
    const folder = await folderOf({
      'l.npz': encodeNpz({ latents, labels }),
      'l.safetensors': Uint8Array.of(7),
    });
    const dataset = await openDataset(join(folder, 'l.npz'), { scale: 'improved-meanflow' });
    expect(dataset).toMatchObject({ featureShape: [2, 2, 4], classCount: 2 });
    await expect(openDataset(join(folder, 'l.safetensors'))).rejects.toThrow('or by `readTensors`');
    const readTensors = (bytes: Uint8Array) => ({ z: latents, count: hostArray([bytes[0]]) });
    expect(await openDataset(join(folder, 'l.safetensors'), { readTensors })).toMatchObject({
      classCount: undefined,
    });
    await expect(openDataset(join(folder, 'l.npz'), { arrays: { latents: 'mu' } })).rejects.toThrow(
      'l.npz: there is no array mu; it holds labels, latents.',
    );
    await writeFile(join(folder, 'l.npz'), encodeNpz({ latents }).subarray(0, 200));
    await expect(openDataset(join(folder, 'l.npz'))).rejects.toThrow(DataError);
  });
});
