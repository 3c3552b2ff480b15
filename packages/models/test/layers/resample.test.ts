/** Against the definition: the filter's elements, one by one. */
import { RandomKey, vjp, type HostArray } from '@meanflow/core';
import { downsample, filterKernel, upsample } from '../../src/layers/resample.js';
import { evaluate, relativeError } from '../helpers.js';

const x = RandomKey.fromSeed(2).normal([2, 3, 4, 6]);
const at = ({ data, shape }: HostArray, n: number, c: number, i: number, j: number) =>
  i < 0 || j < 0 || i >= shape[2] || j >= shape[3]
    ? 0
    : data[((n * shape[1] + c) * shape[2] + i) * shape[3] + j];

function compare(result: HostArray, expected: (n: number, c: number, i: number, j: number) => number): void {
  const [batch, channels, height, width] = result.shape;
  let place = 0;
  for (let n = 0; n < batch; n++)
    for (let c = 0; c < channels; c++)
      for (let i = 0; i < height; i++)
        for (let j = 0; j < width; j++) expect(result.data[place++]).toBeCloseTo(expected(n, c, i, j), 10);
}

/** The last is not symmetric. */
describe.each([[[1, 3, 3, 1]], [[1, 1]], [[1, 4, 2, 3]]])('%j', (filter) => {
  const kernel = filterKernel(filter);
  const taps = filter.map((_, tap) => tap);
  const places = taps.flatMap((a) => taps.map((b) => [a, b, kernel[a][b]] as const));
  const first = filter.length / 2 - 1;

  test('down: every other window of the filter', () => {
    const { y } = evaluate(({ x }) => ({ y: downsample(x, filter) }), { x });
    expect(y.shape).toEqual([2, 3, 2, 3]);
    compare(y, (n, c, i, j) =>
      places.reduce((sum, [a, b, tap]) => sum + tap * at(x, n, c, 2 * i + a - first, 2 * j + b - first), 0),
    );
  });

  test('up: each pixel spread by the filter, four times as bright', () => {
    const { y } = evaluate(({ x }) => ({ y: upsample(x, filter) }), { x });
    expect(y.shape).toEqual([2, 3, 8, 12]);
    compare(y, (n, c, i, j) =>
      places.reduce((sum, [a, b, tap]) => {
        const [row, column] = [(i - a + first) / 2, (j - b + first) / 2];
        return Number.isInteger(row) && Number.isInteger(column)
          ? sum + 4 * tap * at(x, n, c, row, column)
          : sum;
      }, 0),
    );
  });

  test('up is four times the transpose of down', () => {
    const small = RandomKey.fromSeed(3).normal([2, 3, 2, 3]);
    const { up, transposed } = evaluate(
      ({ x, small }) => ({
        up: upsample(small, filter),
        transposed: vjp((z: typeof x) => downsample(z, filter), [x])[1](small)[0],
      }),
      { x, small },
    );
    const scaled = transposed.clone();
    scaled.data.forEach((_, i) => (scaled.data[i] *= 4));
    expect(relativeError(up, scaled)).toBeLessThan(1e-12);
  });
});
