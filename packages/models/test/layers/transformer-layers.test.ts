/** The layers of transformers against their formulas, written out. */
import { hostArray, type HostArray, RandomKey, type Tensor } from '@meanflow/core';
import { multiHeadAttention } from '../../src/layers/attention.js';
import { geluMlp, swiGlu } from '../../src/layers/feed-forward.js';
import { modulatedNorm } from '../../src/layers/modulation.js';
import { embedPatches, patchGrid, patchify, unpatchify } from '../../src/layers/patches.js';
import { sinusoidalPositions } from '../../src/layers/positions.js';
import { rotaryTable, rotaryTable2d, rotate, type RotaryTable } from '../../src/layers/rotary.js';
import { evaluate, relativeError } from '../helpers.js';

const key = RandomKey.fromSeed(11);
const normal = (name: string, shape: readonly number[]) => key.fold(name).normal(shape);
const one = (f: (inputs: Record<string, Tensor>) => Tensor, inputs: Record<string, HostArray>) =>
  evaluate((given) => ({ out: f(given as Record<string, Tensor>) }), inputs).out;

/** The element at a place of an array. */
const at = ({ shape, data }: HostArray, ...place: number[]): number =>
  data[place.reduce((flat, index, axis) => flat * shape[axis] + index, 0)];

describe('patches', () => {
  const grid = patchGrid([4, 6, 3], 2);

  test('are read row by row, and inside by row, column and channel', () => {
    const images = hostArray(
      Array.from({ length: 2 * 4 * 6 * 3 }, (_, i) => i),
      { shape: [2, 4, 6, 3] },
    );
    const patches = one(({ images }) => patchify(grid, images), { images });
    expect(patches.shape).toEqual([2, 6, 12]);
    // The second patch of the second row, its pixel in the second row and first column, channel 2.
    expect(at(patches, 1, 4, 8)).toBe(at(images, 1, 3, 2, 2));
    expect(one(({ images }) => unpatchify(grid, patchify(grid, images)), { images }).data).toEqual(
      images.to('float64').data,
    );
  });

  test('are embedded as a convolution whose stride is its window does', () => {
    const [images, kernel, bias] = [normal('x', [1, 4, 6, 3]), normal('k', [2, 2, 3, 5]), normal('b', [5])];
    const out = one(({ images, kernel, bias }) => embedPatches({ kernel, bias }, grid, images), { images, kernel, bias }); // prettier-ignore
    let sum = bias.data[4];
    for (const [row, column, channel] of places(2, 2, 3)) {
      sum += at(images, 0, 2 + row, 4 + column, channel) * at(kernel, row, column, channel, 4);
    }
    expect(at(out, 0, 5, 4)).toBeCloseTo(sum, 12);
  });

  test('cover an image that they do not divide, with zeros on the right and below, and give it back', () => {
    const images = normal('odd', [2, 5, 4, 3]);
    const covering = patchGrid([5, 4, 3], 3);
    expect([covering.rows, covering.columns]).toEqual([2, 2]);
    const patches = one(({ images }) => patchify(covering, images), { images });
    expect(patches.shape).toEqual([2, 4, 27]);
    // The last patch: its first pixel is the last of the fourth row; the row after that has one more, and then there is none.
    for (let channel = 0; channel < 3; channel++) {
      expect(at(patches, 1, 3, channel)).toBe(at(images, 1, 3, 3, channel));
      expect(at(patches, 1, 3, 9 + channel)).toBe(at(images, 1, 4, 3, channel));
      expect(at(patches, 1, 3, 3 + channel)).toBe(0);
      expect(at(patches, 1, 3, 18 + channel)).toBe(0);
    }
    expect(one(({ images }) => unpatchify(covering, patchify(covering, images)), { images }).data).toEqual(
      images.to('float64').data,
    );
  });

  test.each([
    [[4, 6], 2],
    [[4, 1, 3], 2],
    [[1, 4, 3], 2],
  ])('do not fit [%s] with side %d', (shape, side) => {
    expect(() => patchGrid(shape, side)).toThrow(/sides of at least 2/);
  });
});

function* places(...sizes: readonly number[]): Generator<number[]> {
  if (sizes.length === 0) yield [];
  else for (let i = 0; i < sizes[0]; i++) for (const rest of places(...sizes.slice(1))) yield [i, ...rest];
}

test('positions: sines and cosines of the column, then of the row', () => {
  const table = sinusoidalPositions(2, 3, 8);
  expect(table.shape).toEqual([6, 8]);
  const [row, column, slow] = [1, 2, 10_000 ** -0.5];
  expect([...table.data.slice(5 * 8)]).toEqual([
    Math.sin(column), Math.sin(column * slow), Math.cos(column), Math.cos(column * slow),
    Math.sin(row), Math.sin(row * slow), Math.cos(row), Math.cos(row * slow),
  ]); // prettier-ignore
  expect(() => sinusoidalPositions(2, 2, 6)).toThrow(/divisible by 4, got 6/);
});

describe('rotary positions', () => {
  const products = (table: RotaryTable, width: number) => {
    // The same query and the same key at every position.
    const tokens = table.cos.shape[0];
    const repeated = (x: HostArray) =>
      hostArray(Array.from({ length: tokens }, () => [...x.data]).flat(), { shape: [1, 1, tokens, width] });
    const turned = (x: HostArray) => one(({ x }) => rotate(table, x), { x: repeated(x) });
    const [q, k] = [turned(normal('q', [width])), turned(normal('k', [width]))];
    return (i: number, j: number) =>
      Array.from({ length: width }, (_, d) => at(q, 0, 0, i, d) * at(k, 0, 0, j, d)).reduce((a, b) => a + b);
  };

  test('products of queries and keys depend on distances only', () => {
    const dot = products(rotaryTable(6, 8), 8);
    expect(dot(4, 1)).toBeCloseTo(dot(5, 2), 12);
    expect(dot(1, 4)).toBeCloseTo(dot(0, 3), 12);
    expect(Math.abs(dot(4, 1) - dot(1, 4))).toBeGreaterThan(1e-3);
    expect(Math.abs(dot(4, 1) - dot(4, 2))).toBeGreaterThan(1e-3);
  });

  test('in the plane, on the distances in rows and columns; tokens before the patches stay', () => {
    const table = rotaryTable2d({ prefix: 2, rows: 3, columns: 4 }, 8);
    const dot = products(table, 8);
    const patch = (row: number, column: number) => 2 + 4 * row + column;
    expect(dot(patch(2, 1), patch(1, 3))).toBeCloseTo(dot(patch(1, 0), patch(0, 2)), 12);
    expect(Math.abs(dot(patch(2, 1), patch(1, 3)) - dot(patch(2, 1), patch(1, 2)))).toBeGreaterThan(1e-3);
    // Angle 0: the features in the order of the result, first the even ones, then the odd.
    const x = normal('x', [1, 1, 14, 8]);
    const turned = one(({ x }) => rotate(table, x), { x });
    expect([...turned.data.slice(0, 8)]).toEqual([0, 2, 4, 6, 1, 3, 5, 7].map((i) => x.data[i]));
    expect([...turned.data.slice(8, 10)]).toEqual([8, 10].map((i) => x.data[i]));
    expect([...turned.data.slice(24, 32)]).not.toEqual([0, 2, 4, 6, 1, 3, 5, 7].map((i) => x.data[24 + i]));
  });

  test('pairs are neighbours, and the first angle is the position', () => {
    const turned = one(({ x }) => rotate(rotaryTable(3, 4), x), { x: hostArray([[[[1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 2]]]]) }); // prettier-ignore
    const expected = [Math.cos(2), -2 * Math.sin(0.02), Math.sin(2), 2 * Math.cos(0.02)];
    expect([...turned.data.slice(8)].map((x, i) => x - expected[i]).every((e) => Math.abs(e) < 1e-12)).toBe(
      true,
    );
  });

  test('need pairs', () => {
    expect(() => rotaryTable(3, 5)).toThrow(/5 is not a number of pairs/);
    expect(() => rotaryTable2d({ prefix: 0, rows: 2, columns: 2 }, 6)).toThrow(/3 is not a number of pairs/);
  });
});

test('attention: each head for itself', () => {
  const [q, k, v] = ['q', 'k', 'v'].map((name) => normal(name, [2, 3, 4]));
  const out = one(({ q, k, v }) => multiHeadAttention(q, k, v, { heads: 2 }), { q, k, v });
  const [batch, token, head] = [1, 2, 1];
  const inHead = (x: HostArray, i: number) => [2, 3].map((d) => at(x, batch, i, d));
  const scores = [0, 1, 2].map((j) => Math.exp(dot(inHead(q, token), inHead(k, j)) / Math.SQRT2));
  const total = scores.reduce((a, b) => a + b);
  const expected = scores
    .map((s) => s / total)
    .reduce((sum, w, j) => sum + w * at(v, batch, j, 2 * head + 1), 0);
  expect(at(out, batch, token, 3)).toBeCloseTo(expected, 12);
});

test('attention: queries and keys of one length where they are normalised', () => {
  const [q, k, v, scale] = [normal('q', [1, 3, 4]), normal('k', [1, 3, 4]), normal('v', [1, 3, 4]), hostArray([2, 0.5])]; // prettier-ignore
  const f = (factor: number) =>
    one(({ q, k, v, scale }) => multiHeadAttention(q.mul(factor), k, v, { heads: 2, norms: { query: scale, key: scale } }), { q, k, v, scale }); // prettier-ignore
  expect(relativeError(f(50), f(1))).toBeLessThan(1e-4);
});

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

test('SwiGLU gates with the first map', () => {
  const x = hostArray([[[3]]]);
  const kernels = { gate: hostArray([[0.5]]), value: hostArray([[2]]), out: hostArray([[-1]]) };
  const out = one(({ x, gate, value, out }) => swiGlu({ gate: { kernel: gate }, value: { kernel: value }, out: { kernel: out } }, x), { x, ...kernels }); // prettier-ignore
  expect(out.item()).toBeCloseTo(-1.5 * sigmoid(1.5) * 6, 12);
});

test('the MLP uses the tanh approximation of GELU', () => {
  const x = hostArray([[[1.5]]]);
  const out = one(({ x, kernel, bias }) => geluMlp({ hidden: { kernel, bias }, out: { kernel, bias } }, x), { x, kernel: hostArray([[1]]), bias: hostArray([0]) }); // prettier-ignore
  const inner = Math.sqrt(2 / Math.PI) * (1.5 + 0.044715 * 1.5 ** 3);
  expect(out.item()).toBeCloseTo(0.75 * (1 + Math.tanh(inner)), 12);
});

test('modulation scales by 1 + scale after normalising, then shifts', () => {
  const inputs = { x: hostArray([[[1, -1]]]), shift: hostArray([[[3, 4]]]), scale: hostArray([[[1, -0.5]]]) };
  const out = one(({ x, shift, scale }) => modulatedNorm(x, shift, scale), inputs);
  expect(out.data[0]).toBeCloseTo(5, 5);
  expect(out.data[1]).toBeCloseTo(3.5, 5);
});
