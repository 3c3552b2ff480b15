import { decodeImage } from '../../src/images/decode-image.js';
import { type Pixels } from '../../src/images/pixels.js';
import { centreCrop, resize } from '../../src/images/resize.js';
import { expected, fromBase64, imageFile, jpegDecoder } from './read-images.js';

const noise: Pixels = {
  ...expected.noise,
  channels: 3,
  data: fromBase64(expected.noise.pixels),
};

describe('centreCrop', () => {
  it.each(expected.crops)(
    'crops $of to $side pixels as Pillow and guided-diffusion do',
    async ({ side, of, pixels }) => {
      const image = of === 'noise' ? noise : decodeImage(imageFile(of), of, await jpegDecoder());
      const cropped = centreCrop(image, side);
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
});

describe('resize', () => {
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
