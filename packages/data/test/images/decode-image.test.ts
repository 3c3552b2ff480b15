import { DataError } from '@meanflow/core';
import { crc32 } from '@meanflow/formats';
import { zlibSync } from 'fflate';
import { decodeImage, imageSizeOf } from '../../src/images/decode-image.js';
import { type JpegDecoder } from '../../src/images/jpeg.js';
import { withChannels } from '../../src/images/pixels.js';
import { expected, fromBase64, imageFile, jpegDecoder } from './read-images.js';

let jpeg: JpegDecoder;
beforeAll(async () => {
  jpeg = await jpegDecoder();
});

const decode = (bytes: Uint8Array) => decodeImage(bytes, 'picture', jpeg);

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

describe('decodeImage', () => {
  const readable = Object.keys(expected.files).filter((name) => name !== 'cmyk.jpg');

  it.each(readable)('reads %s as Pillow does', (name) => {
    const { shape, pixels } = expected.files[name];
    const image = decode(imageFile(name));
    expect([image.height, image.width]).toEqual(shape.slice(0, 2));
    expect(withChannels(image, shape[2] as 1 | 3).data).toEqual(fromBase64(pixels));
    expect(imageSizeOf(imageFile(name), name)).toMatchObject({ width: image.width, height: image.height });
  });

  it('makes three channels of one, and one of three', () => {
    const grey = { width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 200) };
    expect([...withChannels(grey, 3).data]).toEqual([0, 0, 0, 200, 200, 200]);
    const colours = { width: 3, height: 1, channels: 3, data: Uint8Array.of(255, 0, 0, 0, 255, 0, 9, 9, 9) };
    expect([...withChannels(colours, 1).data]).toEqual([76, 150, 9]);
  });

  it.each(['rgb.png', '420.jpg', 'progressive.jpg', 'palette-4.png'])(
    'refuses %s cut short, at any length',
    (name) => {
      const bytes = imageFile(name);
      for (let length = 0; length < bytes.length - 12; length += 7) {
        expect(() => decode(bytes.subarray(0, length))).toThrow(DataError);
      }
      // The decoder is as good as before.
      expect(decode(bytes).width).toBe(23);
    },
  );

  it('refuses a PNG with any byte of its pixels damaged', () => {
    const bytes = imageFile('rgb.png');
    for (let at = 8; at < bytes.length - 12; at += 3) {
      const damaged = bytes.slice();
      damaged[at] ^= 4;
      expect(() => decode(damaged)).toThrow(DataError);
    }
  });

  it('names the file, and says what it found instead of an image', () => {
    expect(() => decode(new Uint8Array(0))).toThrow('picture: the file is empty');
    expect(() => decode(new TextEncoder().encode('GIF89a!!'))).toThrow(
      'picture: found a file that begins with 47 49 46 38 39 61 21 21, expected a PNG or JPEG image.',
    );
    expect(() => decode(imageFile('cmyk.jpg'))).toThrow(
      'picture: found a JPEG image of 4 components, such as CMYK',
    );
  });

  it('does not believe absurd dimensions, before anything is allocated', () => {
    const small = zlibSync(new Uint8Array(100));
    expect(() => decode(png(['IHDR', header(60000, 60000)], ['IDAT', small], end))).toThrow(
      'picture: the PNG image says it has 60000 by 60000 pixels, expected 1 to 50000000 in all.',
    );
    expect(() => decode(png(['IHDR', header(2 ** 31, 2)], ['IDAT', small], end))).toThrow(
      '2147483648 by 2 pixels',
    );
    expect(() => decode(png(['IHDR', header(0, 5)], ['IDAT', small], end))).toThrow('0 by 5 pixels');
    const photo = imageFile('420.jpg').slice();
    const frame = photo.findIndex((byte, i) => byte === 0xff && photo[i + 1] === 0xc0);
    new DataView(photo.buffer).setUint32(frame + 5, 0xffffffff);
    expect(() => decode(photo)).toThrow('the JPEG image says it has 65535 by 65535 pixels');
  });

  it('inflates no more of a bomb than the image has pixels', () => {
    const bomb = zlibSync(new Uint8Array(50_000_000), { level: 9 });
    expect(bomb.length).toBeLessThan(60_000);
    const before = process.memoryUsage().arrayBuffers;
    const image = decode(png(['IHDR', header(2, 2)], ['IDAT', bomb], end));
    expect([...image.data]).toEqual(new Array<number>(12).fill(0));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
    // Neither does a comment that is one.
    const comment = Uint8Array.from([0x61, 0, 0, ...bomb]);
    const commented = png(
      ['IHDR', header(1, 1, 8, 0)],
      ['zTXt', comment],
      ['iCCP', comment],
      ['IDAT', zlibSync(Uint8Array.of(0, 7))],
      end,
    );
    expect([...decode(commented).data]).toEqual([7]);
  });

  it('refuses a PNG whose header and pixels do not fit, and kinds that no PNG has', () => {
    const few = zlibSync(new Uint8Array(20));
    expect(() => decode(png(['IHDR', header(10, 10)], ['IDAT', few], end))).toThrow(
      'has 20 bytes of pixels, expected 310',
    );
    expect(() => decode(png(['IHDR', header(2, 2)], ['IDAT', Uint8Array.of(1, 2, 3)], end))).toThrow(
      'data is damaged',
    );
    expect(() => decode(png(['IHDR', header(2, 2, 3)], ['IDAT', few], end))).toThrow(
      'with 3 bits, which no PNG has',
    );
    expect(() => decode(png(['IHDR', header(2, 2, 8, 5)], ['IDAT', few], end))).toThrow('colour type 5');
    expect(() => decode(png(['IHDR', header(2, 2, 8, 3)], ['IDAT', few], end))).toThrow(DataError);
    expect(() => decode(png(['IHDR', header(8, 8, 1, 0, 1)], ['IDAT', few], end))).toThrow(
      'without interlacing',
    );
    const badFilter = zlibSync(Uint8Array.of(9, 1, 1, 1, 1, 1, 1));
    expect(() => decode(png(['IHDR', header(2, 1)], ['IDAT', badFilter], end))).toThrow(
      'Unsupported filter: 9',
    );
  });
});
