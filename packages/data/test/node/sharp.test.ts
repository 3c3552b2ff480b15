import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { DataError } from '@meanflow/core';
import { crc32 } from '@meanflow/formats/build';
import { zlibSync } from 'fflate';
import { MAX_IMAGE_BYTES, withChannels } from '../../src/images/pixels.js';
import { UnreadableImage } from '../../src/images/unreadable-image.js';
import { loadSharp, sharpMissing } from '../../src/node/load-sharp.js';
import { decodeImage, imageSizeOf } from '../../src/node/sharp.js';
import { expected, fromBase64, imageFile } from '../images/read-images.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meanflow-sharp-'));
});
afterAll(() => rm(folder, { recursive: true }));

const decode = (bytes: Uint8Array, maxBytes = MAX_IMAGE_BYTES) => decodeImage(bytes, 'picture', maxBytes);

async function sizeOf(bytes: Uint8Array) {
  const path = join(folder, 'picture');
  await writeFile(path, bytes);
  return imageSizeOf(path, MAX_IMAGE_BYTES);
}

/** A PNG of one chunk after another, with right checksums. */
function png(...chunks: readonly (readonly [type: string, data: Uint8Array])[]): Uint8Array {
  const parts = chunks.flatMap(([type, data]) => {
    const chunk = new Uint8Array(12 + data.length);
    const view = new DataView(chunk.buffer);
    view.setUint32(0, data.length);
    chunk.set(new TextEncoder().encode(type), 4);
    chunk.set(data, 8);
    view.setUint32(8 + data.length, crc32(chunk.subarray(4, 8 + data.length)));
    return [...chunk];
  });
  return Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, ...parts]);
}

function header(width: number, height: number, depth = 8, colourType = 2, interlace = 0): Uint8Array {
  const data = new Uint8Array(13);
  new DataView(data.buffer).setUint32(0, width);
  new DataView(data.buffer).setUint32(4, height);
  data.set([depth, colourType, 0, 0, interlace], 8);
  return data;
}
const end = ['IEND', new Uint8Array(0)] as const;

function furthest(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}

describe('decodeImage', () => {
  it.each(Object.keys(expected.files))('reads %s as Pillow does', async (name) => {
    const { shape, pixels, within } = expected.files[name];
    const image = withChannels(await decode(imageFile(name)), shape[2] as 1 | 3);
    expect([image.height, image.width]).toEqual(shape.slice(0, 2));
    expect(image.data.length).toBe(fromBase64(pixels).length);
    expect(furthest(image.data, fromBase64(pixels))).toBeLessThanOrEqual(within);
    expect(await sizeOf(imageFile(name))).toMatchObject({ width: image.width, height: image.height });
  });

  it('makes three channels of one, and one of three', () => {
    const grey = { width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 200) };
    expect([...withChannels(grey, 3).data]).toEqual([0, 0, 0, 200, 200, 200]);
    const colours = { width: 3, height: 1, channels: 3, data: Uint8Array.of(255, 0, 0, 0, 255, 0, 9, 9, 9) };
    expect([...withChannels(colours, 1).data]).toEqual([76, 150, 9]);
  });

  it.each(['rgb.png', '420.jpg', 'progressive.jpg', 'palette-4.png', 'lossless.webp', '24.bmp'])(
    'refuses %s where it breaks off, at any length',
    async (name) => {
      const bytes = imageFile(name);
      for (let length = 0; length < bytes.length - 20; length += 17) {
        await expect(decode(bytes.subarray(0, length))).rejects.toThrow(UnreadableImage);
      }
      expect((await decode(bytes)).width).toBe(23);
    },
  );

  it('reads what lacks nothing but its end', async () => {
    for (const [name, missing] of [
      ['420.jpg', 2],
      ['progressive.jpg', 2],
      ['rgb.png', 12],
      ['24.bmp', 3],
    ] as const) {
      const bytes = imageFile(name);
      expect((await decode(bytes.subarray(0, bytes.length - missing))).data).toEqual(
        (await decode(bytes)).data,
      );
    }
  });

  it('names the file, and says what it found instead of an image', async () => {
    const text = (content: string) => decode(new TextEncoder().encode(content));
    await expect(decode(new Uint8Array(0))).rejects.toThrow(
      'picture: the file is empty, expected a JPEG, PNG',
    );
    await expect(text('abcdefghij')).rejects.toThrow(
      'picture: found a file that begins with 61 62 63 64 65 66 67 68 ("abcdefgh"), expected a JPEG, PNG, WebP, GIF, TIFF, AVIF or BMP image.',
    );
    await expect(text('<!DOCTYPE html><html>')).rejects.toThrow('picture: found a web page, expected');
    await expect(text('version https://git-lfs.github.com/spec/v1')).rejects.toThrow('a Git LFS pointer');
    const drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>';
    await expect(text(drawing)).rejects.toThrow('picture: found an SVG drawing');
    await expect(text(`<?xml version="1.0"?>${drawing}`)).rejects.toThrow('picture: found an SVG drawing');
  });

  it('does not believe absurd dimensions, before anything is allocated, in any format', async () => {
    const small = zlibSync(new Uint8Array(100));
    await expect(decode(png(['IHDR', header(60000, 60000)], ['IDAT', small], end))).rejects.toThrow(
      'picture: the image says that it has 60000 by 60000 pixels of 3 channels, 10800000000 bytes, expected 1 to 268435456 (maxImageBytes; on the command line --max-image-bytes).',
    );
    await expect(decode(png(['IHDR', header(2 ** 31, 2)], ['IDAT', small], end))).rejects.toThrow(DataError);
    await expect(decode(png(['IHDR', header(0, 5)], ['IDAT', small], end))).rejects.toThrow(DataError);
    const photo = imageFile('420.jpg').slice();
    const frame = photo.findIndex((byte, i) => byte === 0xff && photo[i + 1] === 0xc0);
    new DataView(photo.buffer).setUint32(frame + 5, 0xea60ea60);
    await expect(decode(photo)).rejects.toThrow('60000 by 60000 pixels');
    const gif = imageFile('one.gif').slice();
    gif.fill(0xff, 6, 10);
    // After the palette.
    const image = gif.indexOf(0x2c, 13 + 3 * 2 ** ((gif[10] & 7) + 1));
    gif.fill(0xff, image + 5, image + 9);
    await expect(decode(gif)).rejects.toThrow(DataError);
    const bmp = imageFile('24.bmp').slice();
    new DataView(bmp.buffer).setUint32(18, 1e6, true);
    new DataView(bmp.buffer).setUint32(22, 1e6, true);
    await expect(decode(bmp)).rejects.toThrow('1000000 by 1000000 pixels');
  });

  it('counts bytes, of which samples of 16 bits take two, and takes more where it is told', async () => {
    const wide = png(
      ['IHDR', header(30, 20, 16, 6)],
      ['IDAT', zlibSync(new Uint8Array(20 * (1 + 30 * 8)))],
      end,
    );
    await expect(decode(wide, 4799)).rejects.toThrow('30 by 20 pixels of 4 channels, 4800 bytes');
    expect(await decode(wide, 4800)).toMatchObject({ width: 30, height: 20, channels: 4 });
  });

  it('inflates no more of a bomb than the image has pixels', async () => {
    const bomb = deflateSync(Buffer.alloc(300_000_000), { level: 9 });
    const before = process.resourceUsage().maxRSS;
    await expect(
      decode(png(['IHDR', header(2, 2)], ['IDAT', bomb], end)).then(({ data }) => [...data]),
    ).resolves.toEqual(new Array<number>(12).fill(0));
    // Neither does a comment that is one.
    const comment = Uint8Array.from([0x61, 0, 0, ...bomb]);
    const commented = png(
      ['IHDR', header(1, 1, 8, 0)],
      ['zTXt', comment],
      ['IDAT', zlibSync(Uint8Array.of(0, 7))],
      end,
    );
    expect([...(await decode(commented)).data]).toEqual([7, 7, 7]);
    // In KiB.
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(100_000);
  });

  it('ends with an UnreadableImage, or an image, whatever byte is damaged', async () => {
    for (const name of ['rgb.png', '420.jpg', 'lossless.webp', 'one.gif', 'lzw.tiff', '8.bmp', '1.bmp']) {
      const bytes = imageFile(name);
      for (let at = 0; at < Math.min(bytes.length, 200); at += 3) {
        const damaged = bytes.slice();
        damaged[at] ^= 255;
        const found = await decode(damaged, 1e6).catch((error: unknown) => error);
        if (found instanceof Error) expect(found).toBeInstanceOf(UnreadableImage);
      }
    }
  });
});

describe('the decoder', () => {
  it('that is missing is named with what to type, as Node and as Jest say that it is', async () => {
    const missing = 'sharp, which is not installed: `npm install sharp@0.35.5`';
    expect(sharpMissing(new Error("Cannot find package 'sharp' imported from /a/b.js"))).toContain(missing);
    expect(sharpMissing(new Error("Cannot find module 'sharp' from 'b.js'"))).toContain(missing);
    expect((await loadSharp()).versions.sharp).toBe('0.35.5');
  });

  it('without its binary is mended otherwise', () => {
    const error = new Error('Could not load the "sharp" module using the linux-x64 runtime');
    expect(sharpMissing(error)).toContain('npm install --include=optional sharp');
  });
});
