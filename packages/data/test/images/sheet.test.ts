import { hostArray, hostZeros, RandomKey } from '@meanflow/core';
import { decode } from 'fast-png';
import { imageGrid, imageSheet, shapesDataset, type ImageShape } from '../../src/index.js';

const imageShape: ImageShape = [2, 2, 3];
/** A white, a black and a red image. */
const three = hostArray(
  [1, -1]
    .flatMap((value) => new Array<number>(12).fill(value))
    .concat([0, 1, 2, 3].flatMap(() => [1, -1, -3])),
  { shape: [3, 2, 2, 3] },
);

function picture(png: Uint8Array) {
  const { width, height, data } = decode(png);
  return {
    width,
    height,
    at: (x: number, y: number) => [...data.slice((y * width + x) * 3, (y * width + x) * 3 + 3)],
  };
}

describe('imageSheet', () => {
  it('sets images side by side, line by line, pixels enlarged', () => {
    const { width, height, at } = picture(imageGrid(three, { imageShape, across: 2, scale: 10 }));
    expect([width, height]).toEqual([2 + 2 * 22, 2 + 2 * 22]);
    expect(at(3, 3)).toEqual([255, 255, 255]);
    expect(at(24 + 19, 21)).toEqual([0, 0, 0]);
    expect([at(2, 24), at(21, 43)]).toEqual([
      [255, 0, 0],
      [255, 0, 0],
    ]);
    // The place that is left over is paper.
    expect(at(30, 30)).toEqual([255, 255, 255]);
  });

  it('reads flattened images and either layout, grey ones too', () => {
    const [nhwc, nchw] = (['nhwc', 'nchw'] as const).map((layout) => {
      const { x } = shapesDataset({ layout }).batch(RandomKey.fromSeed(1), 0, 4);
      return imageGrid(x, { imageShape: [16, 16, 3] });
    });
    expect(nchw).toEqual(nhwc);
    const grey = hostArray([[-1, 1, 0, 1]]);
    const { at } = picture(imageGrid(grey, { imageShape: [2, 2, 1], scale: 1 }));
    expect([at(2, 2), at(3, 2), at(2, 3)]).toEqual([
      [0, 0, 0],
      [255, 255, 255],
      [128, 128, 128],
    ]);
  });

  it('writes labels beside rows, which makes room on the left', () => {
    const rows = (label?: string) => [{ label, images: three }, { images: three.rows(0, 1) }];
    const [plain, labelled] = [undefined, '4 nfe'].map((label) =>
      picture(imageSheet(rows(label), { imageShape, scale: 20 })),
    );
    expect(labelled.width - plain.width).toBe(2 * (5 * 6 - 1 + 3));
    expect(labelled.height).toBe(plain.height);
    const dark = (of: typeof plain, top: number, bottom: number) => {
      let dots = 0;
      for (let y = top; y < bottom; y++) for (let x = 0; x < 62; x++) dots += Number(of.at(x, y)[0] === 40);
      return dots / 4;
    };
    // As many dots as the glyphs of 4, N, F and E have.
    expect(dark(labelled, 0, 44)).toBe(14 + 17 + 14 + 18);
    expect(dark(labelled, 44, labelled.height)).toBe(0);
    expect(dark(plain, 0, plain.height)).toBe(0);
  });

  it('refuses what is no image, nothing at all, and too large a sheet', () => {
    expect(() => imageGrid(hostZeros([2, 5]), { imageShape })).toThrow('[count, ...image] images');
    expect(() => imageGrid(hostZeros([0, 12]), { imageShape })).toThrow('[count, ...image] images');
    expect(() => imageGrid(hostZeros([1, 16]), { imageShape: [2, 4, 2] })).toThrow('1 or 3');
    expect(() => imageGrid(three, { imageShape, scale: 0.5 })).toThrow(
      'scale is a positive whole number, got 0.5',
    );
    expect(() => imageGrid(three, { imageShape, scale: 20_000 })).toThrow('at most 30000 pixels');
    expect(() => imageSheet([], { imageShape })).toThrow('across is a positive whole number');
  });
});
