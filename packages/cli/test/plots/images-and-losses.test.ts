import { hostArray } from '@meanflow/core';
import { decode } from 'fast-png';
import { imageGridPng } from '../../src/plots/image-grid.js';
import { logTicks, lossChart } from '../../src/plots/loss-chart.js';
import { cssPalette, lightPalette, rgb } from '../../src/plots/palette.js';

describe('an image grid', () => {
  const images = hostArray([
    [-1, 1, 1, -1],
    [5, -5, -1, -1],
    [1, 1, 1, 1],
  ]);
  const png = decode(imageGridPng(images, { imageShape: [2, 2, 1], across: 2, scale: 3 }));
  /** The middle of an image's pixel. */
  const shade = (image: number, y: number, x: number) => {
    const left = 3 + (image % 2) * 9 + x * 3 + 1;
    const top = 3 + Math.floor(image / 2) * 9 + y * 3 + 1;
    return [...png.data.subarray((top * png.width + left) * 3, (top * png.width + left) * 3 + 3)];
  };
  const [paper, ink] = [rgb(lightPalette.surface), rgb(lightPalette.ink)].map((colour) => [...colour]);

  it('enlarges every pixel by a whole number, row by row', () => {
    expect([png.width, png.height]).toEqual([21, 21]);
    expect([shade(0, 0, 0), shade(0, 0, 1), shade(0, 1, 0), shade(0, 1, 1)]).toEqual([
      paper,
      ink,
      ink,
      paper,
    ]);
    expect(shade(2, 1, 1)).toEqual(ink);
  });

  it('cuts values beyond [−1, 1]', () => {
    expect([shade(1, 0, 0), shade(1, 0, 1)]).toEqual([ink, paper]);
  });

  it('says what does not fit', () => {
    const options = { imageShape: [3, 3, 1], across: 2 };
    expect(() => imageGridPng(images, options)).toThrow('[count, 9] images');
  });

  it('shows three channels as colours', () => {
    const colours = decode(
      imageGridPng(hostArray([[-1, 0, 1]]), { imageShape: [1, 1, 3], across: 1, scale: 1 }),
    );
    expect([...colours.data.subarray((1 * 3 + 1) * 3, (1 * 3 + 1) * 3 + 3)]).toEqual([0, 128, 255]);
  });
});

describe('ticks of a logarithmic axis', () => {
  const values = (low: number, high: number) =>
    logTicks(Math.log10(low), Math.log10(high)).map((log) => Number((10 ** log).toPrecision(3)));

  it('are powers of ten over a wide range, and finer over a narrow one', () => {
    expect(values(0.005, 200)).toEqual([0.01, 0.1, 1, 10, 100]);
    expect(values(0.2, 9)).toEqual([0.3, 1, 3]);
    expect(values(0.6, 3.5)).toEqual([0.7, 1, 1.5, 2, 3]);
  });
});

describe('a loss chart', () => {
  const chart = (points: [number, number][]) =>
    lossChart([{ label: 'MeanFlow', role: 'meanflow', points }], {
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
    expect(svg.match(/stroke="var\(--meanflow\)"/g)).toHaveLength(2);
    expect(svg).toContain('aria-label="Raw squared error against the step: MeanFlow"');
    expect(svg).not.toContain('<style');
  });

  it('leaves out what a logarithm cannot show', () => {
    expect(chart([[1, 0], [2, Number.NaN], [3, 2], [4, 1]])).not.toMatch(/NaN|Infinity/); // prettier-ignore
    expect(chart([])).toContain('No loss was logged');
  });
});
