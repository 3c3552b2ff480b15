import { withChannels, type Pixels } from '../../src/images/pixels.js';
import { centreCrop, resize } from '../../src/images/resize.js';
import { decodeImage } from '../../src/node/sharp.js';
import { expected, fromBase64, imageFile } from './read-images.js';

const noise: Pixels = {
  ...expected.noise,
  channels: 3,
  data: fromBase64(expected.noise.pixels),
};

const decode = async (name: string): Promise<Pixels> =>
  withChannels(await decodeImage(imageFile(name), name, 1e6), 3);

describe('centreCrop', () => {
  it.each(expected.crops)(
    'crops $of to $side pixels as Pillow and guided-diffusion do',
    async ({ side, of, pixels }) => {
      const cropped = centreCrop(of === 'noise' ? noise : await decode(of), side);
      expect([cropped.width, cropped.height, cropped.channels]).toEqual([side, side, 3]);
      expect(cropped.data).toEqual(fromBase64(pixels));
    },
  );

  it('leaves an image of that size as it is, and one colour one colour', () => {
    const square: Pixels = {
      width: 5,
      height: 5,
      channels: 1,
      data: Uint8Array.from({ length: 25 }, (_, i) => i * 9),
    };
    expect(centreCrop(square, 5)).toEqual(square);
    const flat: Pixels = { width: 40, height: 9, channels: 1, data: new Uint8Array(360).fill(77) };
    for (const side of [2, 7, 20]) {
      expect(centreCrop(flat, side).data).toEqual(new Uint8Array(side * side).fill(77));
    }
  });

  it('makes no more of a thread of pixels than the square that is asked for', () => {
    const thread: Pixels = { width: 1, height: 100_000, channels: 1, data: new Uint8Array(100_000).fill(9) };
    expect(centreCrop(thread, 64)).toEqual({
      width: 64,
      height: 64,
      channels: 1,
      data: new Uint8Array(64 * 64).fill(9),
    });
  });

  it('has no dark fringe where a transparent image is laid on white first', async () => {
    const disc = centreCrop(await decode('cases/disc.png'), 32);
    const row = [...disc.data.subarray(16 * 32 * 3, 16 * 32 * 3 + 32 * 3)];
    expect(row.slice(0, 3)).toEqual([255, 255, 255]);
    // No colour is darker in red than either of the two that there are.
    expect(Math.min(...disc.data.filter((_, i) => i % 3 === 0))).toBe(255);
    const edges = Array.from({ length: 32 * 32 }, (_, pixel) => [
      ...disc.data.subarray(3 * pixel, 3 * pixel + 3),
    ]);
    expect(edges).toContainEqual([255, 128, 128]);
  });
});

describe('resize', () => {
  it.each(expected.resized)('makes $width × $height of noise by $by as Pillow does', ({ pixels, ...to }) => {
    const { width, height, by } = to;
    expect(resize(noise, width, height, by)).toEqual({
      width,
      height,
      channels: 3,
      data: fromBase64(pixels),
    });
  });

  it('averages by box', () => {
    const image: Pixels = {
      width: 4,
      height: 2,
      channels: 1,
      data: Uint8Array.of(0, 2, 10, 20, 4, 6, 30, 40),
    };
    expect(resize(image, 2, 1, 'box')).toEqual({
      width: 2,
      height: 1,
      channels: 1,
      data: Uint8Array.of(3, 25),
    });
  });
});
