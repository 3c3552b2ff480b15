import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DataError, RandomKey } from '@meanflow/core';
import { gunzipSync, gzipSync } from 'fflate';
import { detectImages, openDataset, openImages } from '../../src/node.js';

const key = RandomKey.fromSeed(2);
let root: string;
let made = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'meanflow-idx-'));
});
afterAll(() => rm(root, { recursive: true }));

type Files = Readonly<Record<string, Uint8Array>>;

/** A folder called "clothes" with these files. */
async function folderOf(files: Files): Promise<string> {
  const folder = join(root, String(made++), 'clothes');
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
  return folder;
}

function idx(shape: readonly number[], data: readonly number[]): Uint8Array {
  const lengths = shape.flatMap((length) => [0, 0, 0, length]);
  return Uint8Array.of(0, 0, 8, shape.length, ...lengths, ...data);
}
const text = (content: string) => new TextEncoder().encode(content);

const [TRAIN, TRAIN_LABELS] = ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'] as const;
const [TEST, TEST_LABELS] = ['t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'] as const;
const set = {
  [TRAIN]: idx([4, 1, 2], [0, 1, 2, 3, 4, 5, 6, 7]),
  [TRAIN_LABELS]: idx([4], [0, 1, 0, 2]),
  [TEST]: idx([2, 1, 2], [9, 9, 8, 8]),
  [TEST_LABELS]: idx([2], [1, 0]),
};
/** Under other names. */
const renamed = (files: Files, nameOf: (name: string) => string): Files =>
  Object.fromEntries(Object.entries(files).map(([name, bytes]) => [nameOf(name), bytes]));
const zipped = (files: Files, which: (name: string) => boolean = () => true): Files =>
  Object.fromEntries(
    Object.entries(files).map(([name, bytes]) =>
      which(name) ? [`${name}.gz`, gzipSync(bytes)] : [name, bytes],
    ),
  );

describe('files of MNIST’s kind', () => {
  const whole = { imageShape: [1, 2, 1], classNames: ['0', '1', '2'], sizes: { train: 4, test: 2 } };

  it.each<[string, Files]>([
    ['plain', set],
    ['compressed', zipped(set)],
    ['both', { ...set, ...zipped(set) }],
    ['images compressed, labels not', zipped(set, (name) => name.includes('images'))],
    ['to learn from compressed, to judge by not', zipped(set, (name) => name.includes('train'))],
    ['with dots in their names', renamed(set, (name) => name.replace('-idx', '.idx'))],
    ['with a prefix', renamed(set, (name) => `emnist-letters-${name.replace('t10k', 'test')}`)],
  ])('are opened by their folder, which names the data: %s', async (_, files) => {
    const dataset = await openDataset(await folderOf(files));
    expect(dataset).toMatchObject({ ...whole, name: 'clothes', notes: [expect.stringMatching('judged by')] });
    expect([...dataset.reference('test', key, 2).label!.data]).toEqual([1, 0]);
    expect([...dataset.reference('train', key, 4).label!.data]).toEqual([0, 1, 0, 2]);
    expect(Math.round((dataset.reference('test', key, 2).x.data[0]! + 1) * 127.5)).toBe(9);
  });

  it('are opened by the file of images, which names the data then', async () => {
    const folder = await folderOf(set);
    expect(await openDataset(join(folder, TRAIN))).toMatchObject({ ...whole, name: TRAIN });
    // Test images by themselves are divided.
    expect(detectImages(join(folder, TEST))).toEqual({
      kind: 'idx',
      images: join(folder, TEST),
      labels: join(folder, TEST_LABELS),
      notes: [],
    });
  });

  it('are the only set of a folder, whatever it is called', async () => {
    const images = idx([5, 1, 2], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const folder = await folderOf({ [TEST]: images, [TEST_LABELS]: idx([5], [1, 0, 0, 1, 1]) });
    expect(await openDataset(folder)).toMatchObject({ name: 'clothes', sizes: { train: 4, test: 1 } });
  });

  it('ask which set is meant where there are several', async () => {
    const other = renamed(set, (name) => `balanced-${name}`);
    const folder = await folderOf({ ...other, ...renamed(set, (name) => `letters-${name}`) });
    await expect(openDataset(folder)).rejects.toThrow(DataError);
    await expect(openDataset(folder)).rejects.toThrow(
      `it holds 2 sets of images, balanced-${TRAIN}, letters-${TRAIN}: give the path of the file of images that is meant.`,
    );
    expect(await openDataset(join(folder, `letters-${TRAIN}`))).toMatchObject(whole);
  });

  it('are no such set where folders for classes lie beside one that is not called as MNIST’s is', async () => {
    const folder = await folderOf({ [TEST]: set[TEST], 'cat/a.png': text('…') });
    expect(detectImages(folder)).toMatchObject({ kind: 'image-folder' });
    const named = await folderOf({ ...set, 'cat/a.png': text('…') });
    expect(detectImages(named)).toMatchObject({ kind: 'idx' });
  });

  it('say that labels are missing, and judge by what has classes as that which is learnt', async () => {
    const folder = await folderOf(set);
    await rm(join(folder, TEST_LABELS));
    expect(await openDataset(folder)).toMatchObject({
      sizes: { train: 3, test: 1 },
      notes: [`${TEST} is left alone: ${TEST_LABELS} is not there`],
    });
    await rm(join(folder, TRAIN_LABELS));
    expect(await openDataset(folder)).toMatchObject({
      classNames: undefined,
      sizes: { train: 4, test: 2 },
      notes: [`no classes: ${TRAIN_LABELS} is not beside it`, `judged by ${TEST}`],
    });
    await writeFile(join(folder, TEST_LABELS), set[TEST_LABELS]);
    expect((await openDataset(folder)).notes).toContain(
      `${TEST} is left alone: ${TRAIN_LABELS} is not there`,
    );
  });

  it.each<[string, string, Uint8Array, string]>([
    [
      'other counts',
      TRAIN_LABELS,
      idx([3], [0, 1, 2]),
      `${TRAIN_LABELS}: found labels [3], expected [4], one for each image of`,
    ],
    [
      'a label that nothing learnt has',
      TEST_LABELS,
      idx([2], [1, 3]),
      `${TEST_LABELS}: the label of image 1 is 3, expected at least two classes, from 0 to 2.`,
    ],
    [
      'images cut short',
      TEST,
      set[TEST].subarray(0, -1),
      `${TEST}: an array [2, 1, 2] takes 4 bytes, found 3`,
    ],
    ['gzip cut short', TEST, gzipSync(set[TEST]).subarray(0, -3), `${TEST}: the gzip data is damaged or cut`],
    ['labels for images', TRAIN, set[TRAIN_LABELS], `${TRAIN}: found an array [4], expected images`],
    ['images for labels', TRAIN_LABELS, set[TRAIN], `${TRAIN_LABELS}: found labels [4, 1, 2], expected [4]`],
    ['a web page', TRAIN, text('<!DOCTYPE html><html>'), 'does not begin as an IDX file does'],
    ['no content', TEST_LABELS, new Uint8Array(0), 'does not begin as an IDX file does'],
    [
      'test images of another size',
      TEST,
      idx([2, 1, 3], [1, 2, 3, 4, 5, 6]),
      '"clothes" has training images of',
    ],
  ])('refuse %s, by the name of the file', async (_, file, bytes, message) => {
    const folder = await folderOf({ ...set, [file]: bytes });
    await expect(openDataset(folder)).rejects.toThrow(DataError);
    await expect(openDataset(folder)).rejects.toThrow(message);
  });

  it('refuse a compressed file with one wrong bit', async () => {
    const images = idx(
      [40, 5, 5],
      new Array<number>(1000).fill(0).map((_, i) => (i * 37) % 251),
    );
    const bytes = gzipSync(images);
    for (const at of [30, 200, bytes.length - 9, bytes.length - 6]) {
      const wrong = bytes.slice();
      wrong[at]! ^= 4;
      const folder = await folderOf({ [`${TRAIN}.gz`]: wrong });
      await expect(openDataset(folder)).rejects.toThrow(`${TRAIN}.gz: the gzip data is damaged or cut short`);
    }
    expect(gunzipSync(bytes)).toEqual(images);
  });
});

describe('classes.txt', () => {
  const names = (content: string) => folderOf({ ...set, 'classes.txt': text(content) });

  it('names the classes, one in a line', async () => {
    for (const content of ['coat\nT-shirt/top\nbag\n', '\ufeffcoat\r\n T-shirt/top \r\n\r\nbag'])
      expect(await openDataset(await names(content))).toMatchObject({
        classNames: ['coat', 'T-shirt/top', 'bag'],
        notes: [`judged by ${TEST}`, 'classes named by classes.txt'],
      });
  });

  it('may name classes that have no row, which is said', async () => {
    const { classNames, notes } = await openDataset(await names('a\nb\nc\nd'));
    expect(classNames).toHaveLength(4);
    expect(notes).toContain('1 of 4 classes have no row to learn from');
    const letters = await folderOf({ ...set, [TRAIN_LABELS]: idx([4], [1, 2, 1, 3]) });
    expect((await openDataset(letters)).notes).toContain('1 of 4 classes have no row to learn from');
  });

  it.each([
    [
      'a\nb',
      'the label of image 3 is 2, expected at least two classes, from 0 to 1, as many as there are names.',
    ],
    ['a\nb\na', 'classes.txt: found "a" twice, expected a name of its own for each class, one in a line'],
    ['a\n\n', 'classes.txt: found 1 names, expected a name of its own for each class'],
  ])('is refused where it does not fit: %j', async (content, message) => {
    await expect(openDataset(await names(content))).rejects.toThrow(message);
  });

  it('is no text that is not UTF-8', async () => {
    const folder = await folderOf({ ...set, 'classes.txt': Uint8Array.of(0x61, 0xff, 0xfe, 0x0a) });
    await expect(openDataset(folder)).rejects.toThrow(DataError);
  });

  it('can be another file, and the data be called otherwise, by a configuration', async () => {
    const folder = await names('a\nb\nc');
    await rename(join(folder, 'classes.txt'), join(folder, 'names'));
    const dataset = await openImages({
      kind: 'idx',
      images: join(folder, TRAIN),
      labels: join(folder, TRAIN_LABELS),
      classNames: join(folder, 'names'),
      name: 'mine',
    });
    expect(dataset).toMatchObject({
      name: 'mine',
      classNames: ['a', 'b', 'c'],
      sizes: { train: 3, test: 1 },
    });
  });
});
