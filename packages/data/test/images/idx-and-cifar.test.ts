import zlib from 'node:zlib';
import { DataError } from '@meanflow/core';
import { gzipSync } from 'fflate';
import { cifarImages, idxImages } from '../../src/index.js';

/** An IDX file. */
function idx(shape: readonly number[], data: readonly number[], type = 0x08): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
  bytes.set([0, 0, type, shape.length]);
  shape.forEach((length, axis) => new DataView(bytes.buffer).setUint32(4 + 4 * axis, length));
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
}

const pixels = [0, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254, 255];
const images = (bytes = idx([2, 2, 3], pixels)) => ({ file: 'images', bytes });
const labels = (bytes = idx([2], [3, 1])) => ({ file: 'labels', bytes });

describe('idxImages', () => {
  it('reads images and labels, plain or compressed', () => {
    for (const pack of [(bytes: Uint8Array) => bytes, gzipSync]) {
      const rows = idxImages(images(pack(images().bytes)), labels(pack(labels().bytes)));
      expect(rows).toMatchObject({ imageShape: [2, 3, 1], count: 2, classNames: ['0', '1', '2', '3'] });
      expect([...rows.labels!]).toEqual([3, 1]);
      expect([...rows.read(1)]).toEqual(pixels.slice(6));
    }
  });

  it('refuses compressed images that unpack to more than a multiple of their length, before they take memory', () => {
    const bomb = zlib.gzipSync(Buffer.alloc(2 ** 26 + 16));
    expect(bomb.length).toBeLessThan(100_000);
    const before = process.memoryUsage().arrayBuffers;
    expect(() => idxImages(images(bomb), undefined)).toThrow(
      'images: it unpacks to 67108880 bytes, more than the 67108864 that are allowed for its length: unpack it first (gunzip)',
    );
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });

  it('reads images without labels, and with channels', () => {
    expect(idxImages(images(), undefined)).toMatchObject({ labels: undefined, classNames: undefined });
    expect(idxImages(images(idx([2, 1, 2, 3], pixels)), labels()).imageShape).toEqual([1, 2, 3]);
  });

  it.each<[string, Uint8Array, string]>([
    [
      'cut short',
      images().bytes.subarray(0, 20),
      'takes 12 bytes, found 4: the file is cut short, or its counts are wrong',
    ],
    ['too long', Uint8Array.of(...images().bytes, 1), 'found 13: the file is longer than it says'],
    [
      'of counts that lie',
      idx([4_000_000_000, 4_000_000_000, 3], pixels),
      'cut short, or its counts are wrong',
    ],
    ['cut within its header', images().bytes.subarray(0, 9), 'cut short within its header'],
    ['of another magic', new TextEncoder().encode('P5 2 2 255'), 'does not begin as an IDX file does'],
    ['empty', new Uint8Array(0), 'does not begin as an IDX file does'],
    ['of floats', idx([2, 2, 3], pixels, 0x0d), 'elements of type 0xd'],
    ['of labels', labels().bytes, 'found an array [2], expected images'],
    ['of no pixels', idx([2, 0, 3], []), 'expected images'],
    ['of five channels', idx([1, 1, 2, 5], pixels.slice(2)), '1 or 3 channels'],
    [
      'of damaged gzip',
      gzipSync(images().bytes).subarray(0, 30),
      'images: the gzip data is damaged or cut short',
    ],
  ])('refuses images %s', (_, bytes, message) => {
    expect(() => idxImages(images(bytes), labels())).toThrow(DataError);
    expect(() => idxImages(images(bytes), labels())).toThrow(message);
  });

  it('refuses labels of other counts and classes', () => {
    expect(() => idxImages(images(), labels(idx([3], [1, 2, 3])))).toThrow(
      'labels: found labels [3], expected [2], one for each image of images.',
    );
    expect(() => idxImages(images(), labels(idx([2, 1], [1, 2])))).toThrow('found labels [2, 1]');
    expect(() => idxImages(images(), labels(), 3)).toThrow(
      'labels: the label of image 0 is 3, expected at least two classes, from 0 to 2.',
    );
    expect(() => idxImages(images(), labels(idx([2], [0, 0])))).toThrow('at least two classes');
    expect(() => idxImages(images(), labels(), ['a', 'b', 'c'])).toThrow('from 0 to 2');
    expect(() => idxImages(images(), labels(idx([2], [0, 0])), ['a'])).toThrow('at least two classes');
    expect(idxImages(images(), labels(), ['a', 'b', 'c', 'd']).classNames).toEqual(['a', 'b', 'c', 'd']);
  });

  it('does not unpack a bomb, nor believes a length that cannot be', () => {
    const bytes = gzipSync(images().bytes);
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(bytes.length - 4, 0xfffffff0, true);
    expect(() => idxImages(images(bytes), labels())).toThrow('it says that it unpacks to 4294967280 bytes');
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(bytes.length - 4, 10, true);
    expect(() => idxImages(images(bytes), labels())).toThrow('damaged or cut short');
  });
});

/** Records whose label and pixels follow from their number; a pixel is 10·channel + place mod 10. */
function cifar(count: number, labelBytes = 1): Uint8Array {
  const record = labelBytes + 3072;
  const bytes = new Uint8Array(count * record);
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < labelBytes; i++) bytes[row * record + i] = row + 5 * i;
    for (let i = 0; i < 3072; i++)
      bytes[row * record + labelBytes + i] = 10 * Math.floor(i / 1024) + ((i % 1024) % 10) + row;
  }
  return bytes;
}

describe('cifarImages', () => {
  it('reads records of several files, channel by channel', () => {
    const rows = cifarImages(
      [
        { file: 'a', bytes: cifar(2) },
        { file: 'b', bytes: cifar(3) },
      ],
      'cifar-10',
    );
    expect(rows).toMatchObject({ count: 5, imageShape: [32, 32, 3] });
    expect([...rows.labels!]).toEqual([0, 1, 0, 1, 2]);
    expect([...rows.read(4).subarray(0, 6)]).toEqual([2, 12, 22, 3, 13, 23]);
    expect(rows.classNames).toHaveLength(10);
  });

  it('takes either label of CIFAR-100', () => {
    const files = [{ file: 'train.bin', bytes: cifar(2, 2) }];
    expect([...cifarImages(files, 'cifar-100-coarse').labels!]).toEqual([0, 1]);
    expect([...cifarImages(files, 'cifar-100-fine').labels!]).toEqual([5, 6]);
    expect(cifarImages(files, 'cifar-100-fine').classNames).toHaveLength(100);
  });

  it('refuses a batch cut short, of the other set, or with a label that is none', () => {
    const read = (bytes: Uint8Array, names?: string[]) => () =>
      cifarImages([{ file: 'data_batch_1.bin', bytes }], 'cifar-10', names);
    expect(read(cifar(3).subarray(0, 9000))).toThrow(
      'data_batch_1.bin: found 9000 bytes, expected a whole number of records of 3073: the file is cut short',
    );
    expect(read(cifar(3, 2))).toThrow('or of another set');
    expect(read(new Uint8Array(0))).toThrow('found 0 bytes');
    const wrong = cifar(2);
    wrong[3073] = 10;
    expect(read(wrong)).toThrow('data_batch_1.bin: record 1 has the label 10, expected 0 to 9.');
    expect(read(cifar(2), ['one'])).toThrow('There are 10 classes in cifar-10, and 1 names');
  });
});
