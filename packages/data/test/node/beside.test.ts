/** Images beside others: the same rows of both, mirrored and shifted alike, in training and held out. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DataError, HostArray, RandomKey } from '@meanflow/core';
import { encodeNpy, encodeNpz } from '@meanflow/formats';
import { encode } from 'fast-png';
import { type Batch } from '../../src/index.js';
import { openImages, type LatentsConfig } from '../../src/node.js';

const key = RandomKey.fromSeed(6);
const [COUNT, SIDE] = [30, 4];
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'meanflow-beside-'));
});
afterAll(() => rm(root, { recursive: true }));

/** Bytes, no two images or places alike; the negative of each is its partner, of the row `shift` further. */
const pixel = (row: number, place: number): number => (row * 7 + place * 13 + 1) % 200;
const bytes = (rows: number, of: (row: number, place: number) => number) =>
  new HostArray('int32', [rows, SIDE, SIDE, 1], Int32Array.from({ length: rows * SIDE * SIDE }, (_, i) => of(Math.floor(i / SIDE ** 2), i % SIDE ** 2))); // prettier-ignore
const negative =
  (shift = 0) =>
  (row: number, place: number) =>
    255 - pixel((row + shift) % COUNT, place);

async function file(name: string, content: Uint8Array): Promise<string> {
  const path = join(root, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  return path;
}

/** Whether every pixel is the negative of its partner, but for the border, which is black in both. */
function areNegatives({ x, conditions }: Batch): boolean {
  const other = conditions!['negative']!;
  return x.data.every((value, i) => Math.abs(value + other.data[i]!) < 1e-6 || (value === -1 && other.data[i] === -1));
} // prettier-ignore

describe('arrays', () => {
  const labels = new HostArray(
    'int32',
    [COUNT],
    Int32Array.from({ length: COUNT }, (_, i) => Number(i % 5 > 2)),
  );
  const open = async (partner: Uint8Array, change: Partial<LatentsConfig> = {}) => {
    const path = await file('a.npz', encodeNpz({ images: bytes(COUNT, pixel), labels }));
    return openImages({ kind: 'latents', path, range: 'byte', beside: { negative: await file('b.npy', partner) }, ...change });
  }; // prettier-ignore

  it('go together in batches, mirrored and shifted, and where they are held out', async () => {
    const dataset = await open(encodeNpy(bytes(COUNT, negative())), { flip: true, cropPadding: 1 });
    expect(dataset.conditions).toMatchObject({ negative: { kind: 'image', shape: [SIDE, SIDE, 1] } });
    expect(dataset.sizes).toEqual({ train: 24, test: 6 });
    const batches = [0, 1, 7].map((step) => dataset.batch(key, step, 16));
    for (const batch of batches) expect(areNegatives(batch)).toBe(true);
    for (const split of ['train', 'test'] as const) {
      expect(areNegatives(dataset.reference(split, key, 5))).toBe(true);
      expect(areNegatives(dataset.reference(split, key, 100))).toBe(true);
    }
    // The images are those that they are alone.
    const alone = await open(encodeNpy(bytes(COUNT, negative())), { flip: true, cropPadding: 1, beside: {} });
    expect(batches[1]!.x).toEqual(alone.batch(key, 1, 16).x);
  });

  it('shows a partner that is one row off', async () => {
    const dataset = await open(encodeNpy(bytes(COUNT, negative(1))));
    expect(areNegatives(dataset.batch(key, 0, 8))).toBe(false);
    expect(areNegatives(dataset.reference('test', key, 6))).toBe(false);
  });

  it('may be latents beside pictures, in the layout of the network', async () => {
    const latents = new HostArray('float32', [COUNT, 8, SIDE, SIDE], key.normal([COUNT, 8, SIDE, SIDE]).data);
    const dataset = await open(encodeNpy(latents), { layout: 'nchw' });
    const { x, conditions } = dataset.reference('train', key, 3);
    expect([x.shape, conditions!['negative']!.shape]).toEqual([[3, 1, SIDE, SIDE], [3, 8, SIDE, SIDE]]);
    const byte = Math.round((x.data[0]! + 1) * 127.5);
    const row = Array.from({ length: COUNT }, (_, i) => i).find((i) => pixel(i, 0) === byte)!;
    expect(conditions!['negative']!.data[5]).toBeCloseTo(0.18215 * latents.data[row * 8 * SIDE * SIDE + 5]!, 5);
  }); // prettier-ignore

  it.each([
    [encodeNpy(bytes(COUNT - 1, negative())), 'b.npy: found 29 rows, expected one for each of the 30 of'],
    [encodeNpy(new HostArray('float32', [COUNT, 2, 2, 1], key.uniform([COUNT, 2, 2, 1]).data)), 'images of [2, 2], height and width, expected [4, 4]'],
  ])('that do not fit are refused: %#', async (partner, message) => {
    const failing = open(partner);
    await expect(failing).rejects.toThrow(DataError);
    await expect(failing).rejects.toThrow(message);
  }); // prettier-ignore
});

describe('folders', () => {
  const png = (of: (place: number) => number) =>
    encode({ width: SIDE, height: SIDE, channels: 1, depth: 8, data: Uint8Array.from({ length: SIDE * SIDE }, (_, place) => of(place)) }); // prettier-ignore
  const nameOf = (row: number) => `${row % 2 ? 'odd' : 'even'}/${row}`;
  const rows = Array.from({ length: 12 }, (_, row) => row);
  let photos: string;
  beforeAll(async () => {
    for (const row of rows)
      await file(
        `photos/${nameOf(row)}.png`,
        png((place) => pixel(row, place)),
      );
    photos = join(root, 'photos');
  });
  const open = (folder: string, change = {}) =>
    openImages({ kind: 'image-folder', path: photos, channels: 1, heldOut: 0.3, beside: { negative: join(root, folder) }, ...change }); // prettier-ignore
  const partners = async (folder: string, without: number[] = [], of = negative()) => {
    for (const row of rows) {
      if (!without.includes(row))
        await file(
          `${folder}/${nameOf(row)}.png`,
          png((place) => of(row, place)),
        );
    }
    return folder;
  };

  it('go together by name', async () => {
    const dataset = await open(await partners('negatives'), { flip: true, cropPadding: 1 });
    for (const step of [0, 1, 2]) expect(areNegatives(dataset.batch(key, step, 5))).toBe(true);
    expect(areNegatives(dataset.reference('test', key, 9))).toBe(true);
    const off = await open(await partners('off', [], negative(2)));
    expect(areNegatives(off.batch(key, 0, 5))).toBe(false);
  });

  it('that do not fit are refused', async () => {
    await expect(open(await partners('fewer', [3, 4]))).rejects.toThrow('2 of the 12 images of'); // prettier-ignore
    await partners('more');
    await file(
      'more/odd/99.png',
      png(() => 0),
    );
    await expect(open('more')).rejects.toThrow('"odd/99.png" belongs to nothing');
    await partners('twice');
    await file(
      'twice/odd/1.bmp',
      png(() => 0),
    );
    await expect(open('twice')).rejects.toThrow('have one name');
    await partners('large', [3]);
    await file(
      'large/odd/3.png',
      encode({ width: 5, height: 4, channels: 1, depth: 8, data: new Uint8Array(20) }),
    );
    await expect(open('large')).rejects.toThrow('found images of different sizes, expected 4 by 4');
  });
});
