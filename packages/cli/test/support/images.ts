/** Small images as the formats have them, written by tests. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encode } from 'fast-png';

/** A PNG file of colours that depend on a number; two of the same size have the same length. */
export function png(colour: number, width = 8, height = 8): Uint8Array {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (colour * 37 + 11 * (i % 7)) % 256);
  return encode({ width, height, data, channels: 3, depth: 8 });
}

/** A folder with a folder of PNG files for each class. */
export async function writeImageFolder(
  path: string,
  classes: readonly string[],
  each: number,
): Promise<string> {
  for (const [label, name] of classes.entries()) {
    await mkdir(join(path, name), { recursive: true });
    for (let i = 0; i < each; i++) await writeFile(join(path, name, `${i}.png`), png(label * each + i));
  }
  return path;
}

/** An IDX file of bytes that count up. */
export function idx(shape: readonly number[], byteOf: (i: number) => number): Uint8Array {
  const count = shape.reduce((a, b) => a * b, 1);
  const bytes = new Uint8Array(4 + 4 * shape.length + count);
  bytes.set([0, 0, 8, shape.length]);
  const view = new DataView(bytes.buffer);
  shape.forEach((length, axis) => view.setUint32(4 + 4 * axis, length));
  for (let i = 0; i < count; i++) bytes[4 + 4 * shape.length + i] = byteOf(i);
  return bytes;
}

/** The images and labels of a relative of MNIST, under its names. */
export async function writeIdx(folder: string, count: number, labels = count): Promise<string> {
  await mkdir(folder, { recursive: true });
  const pair = [
    ['train-images-idx3-ubyte', idx([count, 8, 8], (i) => (i * 7) % 256)],
    ['train-labels-idx1-ubyte', idx([labels], (i) => i % 2)],
  ] as const;
  for (const [name, bytes] of pair) await writeFile(join(folder, name), bytes);
  return folder;
}

/** CIFAR-10's six files, with a few images each. */
export async function writeCifar(folder: string, each: number): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const name of [1, 2, 3, 4, 5].map((i) => `data_batch_${i}`).concat('test_batch')) {
    const bytes = new Uint8Array(each * 3073).map((_, i) =>
      i % 3073 === 0 ? (i / 3073) % 10 : (i * 13) % 256,
    );
    await writeFile(join(folder, `${name}.bin`), bytes);
  }
  return folder;
}
