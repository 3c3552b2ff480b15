import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ArgumentError, DataError, hostArray, type HostArray, RandomKey } from '@meanflow/core';
import { encodeNpy, encodeNpz, encodeSafetensors, readNpy } from '@meanflow/formats';
import { crc32 } from '@meanflow/formats/build';
import { fileAccess } from '@meanflow/formats/node';
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

/** A small file that says it is 100,000 pixels wide and high. */
const bomb = plain([0, 0, 0]).slice();
new DataView(bomb.buffer).setUint32(16, 100_000);
new DataView(bomb.buffer).setUint32(20, 100_000);
new DataView(bomb.buffer).setUint32(29, crc32(bomb.subarray(12, 29)));

/** Ten images of two classes, each of a red of its own. */
const ten = Object.fromEntries(
  Array.from({ length: 10 }, (_, i) => [
    `${i % 2 ? 'dog' : 'cat'}/${i}.png`,
    plain([20 * i, 100, i % 2 ? 200 : 50]),
  ]),
);
const open = (path: string, options: Partial<ImageFolderConfig> = {}) =>
  openImages({ kind: 'image-folder', path, ...options });

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

  it('follows links when it is asked to, in no circle, and counts them otherwise', async () => {
    const folder = await folderOf(ten);
    await symlink(join(folder, 'cat'), join(folder, 'bird'));
    await symlink(folder, join(folder, 'cat', 'up'));
    expect(await open(folder)).toMatchObject({
      classNames: ['cat', 'dog'],
      notes: ['2 links not followed (--follow-links)'],
    });
    expect(await open(folder, { followLinks: true })).toMatchObject({
      classNames: ['bird', 'cat', 'dog'],
      sizes: { train: 12, test: 3 },
    });
    const linked = await folderOf({});
    for (const name of ['cat', 'dog']) await symlink(join(folder, name), join(linked, name));
    await expect(open(linked)).rejects.toThrow(
      `${linked}: there is no image in it, expected a folder of images. 2 links (cat, …) are not followed: followLinks, on the command line --follow-links.`,
    );
    expect(await open(linked, { followLinks: true })).toMatchObject({ classNames: ['cat', 'dog'] });
  });

  it('names links that lead nowhere', async () => {
    const moved = await folderOf({});
    for (const name of ['cat', 'dog']) await symlink(join(root, 'nothing', name), join(moved, name));
    await expect(open(moved, { followLinks: true })).rejects.toThrow(
      `${moved}: there is no image in it, expected a folder of images. 2 links (cat, …) lead nowhere.`,
    );
    const some = await folderOf(ten);
    await symlink(join(root, 'nothing', 'bird'), join(some, 'bird'));
    expect(await open(some, { followLinks: true })).toMatchObject({
      classNames: ['cat', 'dog'],
      notes: ['1 link to nothing passed over'],
    });
  });

  it('refuses a folder without classes, or with one', async () => {
    const none = await folderOf({ 'x.png': plain([1, 2, 3]) });
    await expect(open(none)).rejects.toThrow(
      `${none}: found no folder in it, expected a folder of images for each`,
    );
    const one = await folderOf({ 'cat/x.png': plain([1, 2, 3]), 'dog/.keep': new Uint8Array(0) });
    await expect(open(one)).rejects.toThrow(`${one}: found one folder with images, "cat", in it`);
    await expect(open(join(root, 'nowhere'))).rejects.toThrow('nowhere: there is no such file');
    await expect(open(join(one, 'cat', 'x.png'))).rejects.toThrow(
      'it is a file, expected a folder of images',
    );
  });

  it('passes over what is no image, counts it and says it, and takes images by what they are', async () => {
    const text = new TextEncoder().encode('a list of cats');
    const folder = await folderOf({
      ...ten,
      'cat/Thumbs.db': text,
      'cat/0.txt': text,
      'cat/2.txt': text,
      'dog/notes': text,
      'dog/.DS_Store': text,
      '__MACOSX/dog/1.png': text,
      'empty/README.md': text,
      'dog/upper.PNG': plain([1, 2, 3]),
      'dog/lies.jpg': plain([1, 2, 3]),
      'dog/nameless': plain([1, 2, 3]),
      'loose.png': plain([1, 2, 3]),
    });
    expect(await open(folder)).toMatchObject({
      classNames: ['cat', 'dog'],
      sizes: { train: 10, test: 3 },
      notes: [
        '7 other files passed over (__MACOSX, 2 .txt, .db, .DS_Store, notes, .md)',
        'no images in the folder empty',
        '1 image beside the folders of classes left out',
      ],
    });
  });

  it('takes folders for splits by their names, or as it is told, and asks where they could be classes', async () => {
    const split = (train: string, test: string, name = (file: string) => file) =>
      Object.entries(ten).map(
        ([file, bytes], i) => [`${i < 6 ? train : test}/${name(file)}`, bytes] as const,
      );
    for (const [train, test] of [
      ['train', 'valid'],
      ['Training', 'Validation'],
      ['train_set', 'dev'],
      ['train2017', 'val2017'],
      ['train', 'holdout'],
    ]) {
      const folder = await folderOf(Object.fromEntries(split(train, test)));
      expect(await open(folder)).toMatchObject({
        classNames: ['cat', 'dog'],
        sizes: { train: 6, test: 4 },
        notes: [`learns from the folder "${train}", is judged by "${test}" (--split-folders)`],
      });
      expect((await open(folder, { splits: 'none' })).classNames).toEqual([test, train].sort());
    }
    const alone = await folderOf(Object.fromEntries(split('train', 'train')));
    expect(await open(alone)).toMatchObject({ classNames: ['cat', 'dog'], sizes: { train: 8, test: 2 } });
    const named = await folderOf(Object.fromEntries(split('a', 'b')));
    expect((await open(named)).classNames).toEqual(['a', 'b']);
    expect(await open(named, { splits: ['b', 'a'] })).toMatchObject({ sizes: { train: 4, test: 6 } });
    await expect(open(named, { splits: ['b', 'c'] })).rejects.toThrow(
      'there is no folder "c" with images in it',
    );
    const either = await folderOf(Object.fromEntries(split('train', 'test', (file) => file.slice(4))));
    await expect(open(either)).rejects.toThrow(
      'if they are the classes, say so (splits; on the command line --split',
    );
    expect((await open(either, { splits: 'none' })).classNames).toEqual(['test', 'train']);
    const third = await folderOf({
      ...Object.fromEntries(split('train', 'test')),
      'plane/1.png': plain([1, 2, 3]),
    });
    await expect(open(third)).rejects.toThrow('plane as classes: say which it is');
    const vehicles = await folderOf(Object.fromEntries(split('train', 'plane')));
    expect((await open(vehicles)).classNames).toEqual(['plane', 'train']);
    // Images without classes beside classes, as competitions have them, are not what is judged by.
    const unlabelled = await folderOf({
      ...Object.fromEntries(Object.entries(ten).map(([file, bytes]) => [`train/${file}`, bytes])),
      'test/1.png': plain([1, 2, 3]),
    });
    expect(await open(unlabelled)).toMatchObject({
      sizes: { train: 8, test: 2 },
      notes: ['learns from the folder "train" (--split-folders)', 'the folder "test" is left alone'],
    });
    const stray = await folderOf({
      ...Object.fromEntries(split('train', 'val')),
      'val/bird/1.png': plain([1, 2, 3]),
    });
    await expect(open(stray)).rejects.toThrow('the images to learn from have no class "bird", but cat, dog.');
  });

  it('names a file that cannot be read, when it opens the folder or when it reads it, or leaves it out', async () => {
    const skip =
      'or pass over all such files with a list of them: skipDamaged, on the command line --skip-damaged.';
    const named = await folderOf({ ...ten, 'cat/page.png': new TextEncoder().encode('<html>') });
    await expect(open(named)).rejects.toThrow(
      `${join(named, 'cat', 'page.png')}: found a web page, expected`,
    );
    await expect(open(named)).rejects.toThrow(skip);
    const huge = await folderOf({ ...ten, 'dog/bomb.png': bomb });
    await expect(open(huge)).rejects.toThrow('bomb.png: the image says that it has 100000 by 100000 pixels');
    const cut = await folderOf({ ...ten, 'cat/cut.png': plain([1, 2, 3]).subarray(0, 60) });
    const dataset = await open(cut);
    expect(() => dataset.batch(key, 0, 20)).toThrow(
      `${join(cut, 'cat', 'cut.png')}: the PNG image is damaged or cut short (vipspng: libpng read error). Mend or remove it, ${skip}`,
    );
    const gone = await folderOf(ten);
    await symlink(join(root, 'nothing'), join(gone, 'cat', 'link.png'));
    await expect(open(gone, { followLinks: true })).rejects.toThrow(
      `${join(gone, 'cat', 'link.png')}: there is no such file.`,
    );

    const all = await folderOf({
      ...ten,
      'cat/cut.png': plain([1, 2, 3]).subarray(0, 60),
      'cat/empty.jpg': new Uint8Array(0),
      'dog/bomb.png': bomb,
    });
    const rest = await open(all, { skipDamaged: true });
    expect(rest).toMatchObject({ classNames: ['cat', 'dog'], sizes: { train: 8, test: 2 } });
    expect(rest.notes).toEqual(['3 damaged images left out']);
    expect(rest.damaged).toEqual([
      expect.stringContaining('cut.png: the PNG image is damaged'),
      expect.stringContaining('empty.jpg: the file is empty'),
      expect.stringContaining('bomb.png: the image says that it has 100000 by 100000 pixels'),
    ]);
    expect(rest.batch(key, 0, 20).x.shape).toEqual([20, 6, 6, 3]);
    const none = await folderOf({ 'a/1.png': bomb, 'b/1.png': bomb });
    await expect(open(none, { skipDamaged: true })).rejects.toThrow('none of its 2 images can be read: ');
  });

  it('refuses options out of range', async () => {
    const folder = await folderOf(ten);
    await expect(open(folder, { size: 0 })).rejects.toThrow(ArgumentError);
    await expect(open(folder, { channels: 2 as 1 })).rejects.toThrow('1 or 3 channels, got 2');
    await expect(open(folder, { cacheBytes: -1 })).rejects.toThrow('got -1');
  });
});

describe('openDataset of a path', () => {
  it('opens a folder of images', async () => {
    const folder = await folderOf(ten);
    const dataset = await openDataset(folder, { readAhead: false, size: 4, flip: true });
    expect(dataset).toMatchObject({ imageShape: [4, 4, 3], classCount: 2 });
    await expect(openDataset(folder, { label: 'class' })).rejects.toThrow(
      'label and header are for CSV files',
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

  it('opens latents of npz, npy and safetensors files, or by the opener that is given', async () => {
    const latents = key.normal([6, 4, 2, 2]);
    const labels = hostArray([0, 1, 0, 1, 0, 1], { dtype: 'int32' });
    const folder = await folderOf({
      'l.npz': encodeNpz({ latents, labels }),
      'l.NPY': encodeNpy(latents),
      'l.safetensors': encodeSafetensors({ z: latents, label: labels }),
      'l.pt': Uint8Array.of(7),
    });
    const dataset = await openDataset(join(folder, 'l.npz'), { scale: 'improved-meanflow' });
    expect(dataset).toMatchObject({ featureShape: [2, 2, 4], classCount: 2 });
    expect(await openDataset(join(folder, 'l.NPY'))).toMatchObject({
      featureShape: [2, 2, 4],
      classCount: undefined,
    });
    expect(await openDataset(join(folder, 'l.safetensors'))).toMatchObject({ classCount: 2 });
    await expect(openDataset(join(folder, 'l.pt'))).rejects.toThrow(
      'l.pt: latents are read from .npz, .npy and',
    );
    const openTensors = async () => readNpy(await fileAccess(join(folder, 'l.NPY')), 'weight');
    expect(await openDataset(join(folder, 'l.pt'), { openTensors })).toMatchObject({
      featureShape: [2, 2, 4],
    });
    await expect(openDataset(join(folder, 'l.npz'), { arrays: { latents: 'mu' } })).rejects.toThrow(
      'l.npz: there is no array "mu"; it holds "labels", "latents"',
    );
    await writeFile(join(folder, 'l.npz'), encodeNpz({ latents }).subarray(0, 200));
    await expect(openDataset(join(folder, 'l.npz'))).rejects.toThrow(DataError);
  });

  it('passes over what is no array of numbers in an archive', async () => {
    const { zipSync } = await import('fflate');
    const array = key.normal([6, 4, 2, 2]);
    const path = join(await folderOf({}), 'l.npz');
    await writeFile(
      path,
      zipSync({
        'latent.npy': encodeNpy(array),
        'names.npy': Uint8Array.of(1),
        'README.md': Uint8Array.of(2),
      }),
    );
    expect(await openDataset(path)).toMatchObject({ featureShape: [2, 2, 4] });
  });
});
