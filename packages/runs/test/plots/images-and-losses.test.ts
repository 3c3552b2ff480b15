import { HostArray, hostArray } from '@meanflow/core';
import { decode } from 'fast-png';
import { imageGridPng } from '../../src/plots/image-grid.js';
import { logTicks, lossChart } from '../../src/plots/loss-chart.js';
import { cssColour, cssPalette } from '../../src/plots/palette.js';

describe('an image grid', () => {
  const options = { imageShape: [2, 2, 1], across: 2, scale: 8 };
  const flat = hostArray([
    [-1, 1, 1, -1],
    [5, -5, -1, -1],
    [1, 1, 1, 1],
  ]);
  /** The middle of each pixel of an image, row by row. */
  const pixels = (bytes: Uint8Array, image: number): number[][] => {
    const png = decode(bytes);
    const [left, top] = [2 + (image % 2) * 18 + 4, 2 + Math.floor(image / 2) * 18 + 4];
    return [0, 1, 2, 3].map((pixel) => {
      const at = (top + 8 * Math.floor(pixel / 2)) * png.width + left + 8 * (pixel % 2);
      return [...png.data.subarray(at * 3, at * 3 + 3)];
    });
  };
  const grey = (...values: number[]) => values.map((value) => [value, value, value]);

  it('shows digits, which are flat, as ink on paper, and cuts what lies beyond [−1, 1]', () => {
    const png = imageGridPng(flat, options);
    expect(decode(png)).toMatchObject({ width: 38, height: 38 });
    expect(pixels(png, 0)).toEqual(grey(255, 0, 0, 255));
    expect(pixels(png, 1)).toEqual(grey(0, 255, 255, 255));
  });

  it('shows images as they are, channels last or first', () => {
    const light = new HostArray('float32', [3, 2, 2, 1], flat.data as Float32Array);
    expect(pixels(imageGridPng(light, options), 0)).toEqual(grey(0, 255, 255, 0));
    // Red rises along the row, green along the column, blue is 1.
    const [red, green] = [(x: number) => 2 * x - 1, (y: number) => 2 * y - 1];
    const last = [0, 1].flatMap((y) => [0, 1].flatMap((x) => [red(x), green(y), 1]));
    const first = [red(0), red(1), red(0), red(1), green(0), green(0), green(1), green(1), 1, 1, 1, 1];
    const expected = [[0, 0, 255], [255, 0, 255], [0, 255, 255], [255, 255, 255]]; // prettier-ignore
    for (const [shape, values] of [
      [[1, 2, 2, 3], last],
      [[1, 3, 2, 2], first],
    ] as const) {
      // prettier-ignore
      const images = new HostArray('float32', shape, Float32Array.from(values));
      expect(pixels(imageGridPng(images, { ...options, imageShape: [2, 2, 3] }), 0)).toEqual(expected);
    }
  });

  it('says what does not fit', () => {
    expect(() => imageGridPng(flat, { imageShape: [3, 3, 1], across: 2 })).toThrow('images of shape');
  });
});

describe('ticks of a logarithmic axis', () => {
  const values = (low: number, high: number) =>
    logTicks(low, high).map((tick) => Number(tick.toPrecision(3)));

  it('are powers of ten over a wide range, and finer over a narrow one', () => {
    expect(values(0.005, 200)).toEqual([0.01, 0.1, 1, 10, 100]);
    expect(values(0.2, 9)).toEqual([0.3, 1, 3]);
    expect(values(0.6, 3.5)).toEqual([0.7, 1, 1.5, 2, 3]);
  });
});

describe('a loss chart', () => {
  const chart = (points: [number, number][]) =>
    lossChart([{ label: 'MeanFlow', colour: cssColour('meanflow'), points }], {
      palette: cssPalette,
      width: 400,
      height: 200,
    });

  it('has the logged and the smoothed curve in the colour of the method, which the page decides', () => {
    const svg = chart([
      [1, 4],
      [2, 2],
      [3, 1],
    ]);
    expect(svg.match(/stroke="var\(--method-meanflow\)"/g)).toHaveLength(2);
    expect(svg).toContain('aria-label="Raw squared error against the step: MeanFlow"');
    expect(svg).not.toContain('<style');
  });

  it('labels whole steps, as many as there is room for, and losses at their heights', () => {
    const labels = (width: number, points: [number, number][]) => {
      const svg = lossChart([{ label: 'MeanFlow', colour: 'red', points }], {
        palette: cssPalette,
        width,
        height: 200,
      });
      const texts = [...svg.matchAll(/<text [^>]*x="([^"]*)" y="([^"]*)"[^>]*>([^<]*)</g)];
      return texts.map(([, x, y, text]) => ({ x: Number(x), y: Number(y), text }));
    };
    const wide = labels(400, [[1, 0.1], [3000, 10]]); // prettier-ignore
    expect(wide.map(({ text }) => text)).toEqual([
      '0.1',
      '1',
      '10',
      '0',
      '500',
      '1k',
      '1.5k',
      '2k',
      '2.5k',
      '3k',
    ]);
    const [tenth, one, ten, ...steps] = wide.map(({ x, y }) => ({ x, y }));
    expect(one!.y - ten!.y).toBeCloseTo(tenth!.y - one!.y, 0);
    expect(steps.map(({ x }) => x)).toEqual([46, 102, 158, 214, 270, 326, 382]);
    expect(labels(200, [[1, 0.1], [15_600, 10]]).map(({ text }) => text).slice(3)).toEqual(['0', '5k', '10k', '15k']); // prettier-ignore
    expect(labels(400, [[1, 2], [2, 1]]).map(({ text }) => text).slice(-3)).toEqual(['0', '1', '2']); // prettier-ignore
  });

  it('leaves out what a logarithm cannot show', () => {
    expect(chart([[1, 0], [2, Number.NaN], [3, 2], [4, 1]])).not.toMatch(/NaN|Infinity/); // prettier-ignore
    expect(chart([])).toContain('No loss was logged');
  });
});
