import { hostArray, jvp, RandomKey, sum, mul, type HostArray, type Tensor } from '@meanflow/core';
import { interpret } from '@meanflow/core/backend';
import { dropout, drawDropout } from '../../src/layers/dropout.js';
import { evaluate, traceTree } from '../helpers.js';

const shape = [8, 16, 12, 10];
const [rows, channels, height, width] = shape;
const places = height * width;
const ones = hostArray(new Float32Array(rows * channels * places).fill(1), { shape });

/** Which elements are dropped, 1 or 0. */
function mask(seed: number, rate: number): Float64Array {
  const draw = drawDropout(RandomKey.fromSeed(seed), shape);
  const { y } = evaluate(({ x, draw }) => ({ y: dropout(x, draw, rate) }), { x: ones, draw });
  return Float64Array.from(y.data, (value) => Number(value === 0));
}

const average = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length;

test('drops the share that it is asked for, and keeps the mean', () => {
  const draw = drawDropout(RandomKey.fromSeed(1), shape);
  const { y } = evaluate(({ x, draw }) => ({ y: dropout(x, draw, 0.2) }), { x: ones, draw });
  const kept = [...new Set(y.data)].sort();
  // A share of 204 in 1021 is dropped.
  expect(kept).toEqual([0, expect.closeTo(1021 / 817, 6)]);
  // 15,360 elements: a standard deviation of 0.0032.
  expect(average(mask(1, 0.2))).toBeGreaterThan(0.19);
  expect(average(mask(1, 0.2))).toBeLessThan(0.21);
  expect(average(y.data)).toBeGreaterThan(0.985);
  expect(average(y.data)).toBeLessThan(1.015);
});

test('nothing at rate 0', () => {
  expect(mask(1, 0).every((dropped) => dropped === 0)).toBe(true);
});

test('elements are independent, as far as pairs, triples and rectangles show', () => {
  const rate = 204 / 1021;
  const index = (n: number, c: number, p: number) => (n * channels + c) * places + p;
  const groups: Record<string, number[][]> = {
    place: [],
    channel: [],
    row: [],
    apart: [],
    triple: [],
    rectangle: [],
  };
  for (let n = 0; n + 1 < rows; n++) {
    for (let c = 0; c + 1 < channels; c++) {
      for (let p = 0; p + 1 < places; p++) {
        const [a, b, d, e] = [index(n, c, p), index(n, c, p + 1), index(n, c + 1, p), index(n, c + 1, p + 1)];
        groups.place.push([a, d]);
        groups.channel.push([a, b]);
        groups.row.push([a, index(n + 1, c, p)]);
        groups.apart.push([a, index(n + 1, c + 1, p + 1)]);
        groups.triple.push([a, b, d]);
        groups.rectangle.push([a, b, d, e]);
      }
    }
  }
  const masks = [1, 2, 3, 4].map((seed) => mask(seed, 0.2));
  for (const members of Object.values(groups)) {
    // How often all of a group are dropped, against rate^size; four masks of some 12,000 groups.
    const size = members[0].length;
    const seen = average(
      masks.map((m) => average(members.map((group) => Number(group.every((i) => m[i] === 1))))),
    );
    const expected = rate ** size;
    const deviation = Math.sqrt((expected * (1 - expected)) / (masks.length * members.length));
    expect(Math.abs(seen - expected)).toBeLessThan(8 * deviation);
  }
});

test('the same draw is the same mask, another draw another', () => {
  expect(mask(1, 0.2)).toEqual(mask(1, 0.2));
  const [a, b] = [mask(1, 0.2), mask(2, 0.2)];
  const both = average(a.map((dropped, i) => dropped * b[i]));
  expect(both).toBeGreaterThan(0.03);
  expect(both).toBeLessThan(0.05);
});

test('tangents are dropped with their values', () => {
  const draw = drawDropout(RandomKey.fromSeed(5), [2, 4, 4, 4]);
  const x = RandomKey.fromSeed(6).normal([2, 4, 4, 4]);
  const { y, dy } = evaluate(
    ({ x, draw }) => {
      const [y, dy] = jvp((z: Tensor) => dropout(z, draw, 0.5), [x], [mul(3, x)]);
      return { y, dy };
    },
    { x, draw },
  );
  expect([...dy.data]).toEqual(Array.from(y.data, (value) => expect.closeTo(3 * value, 10)));
});

test('float32 keeps every mask as it is in float64', () => {
  const draw = drawDropout(RandomKey.fromSeed(7), shape);
  const { graph, named } = traceTree(({ x, draw }) => ({ y: dropout(x, draw, 0.2) }), { x: ones, draw });
  const rounded = (array: HostArray) => array.to('float32');
  const exact = interpret(graph, named).y.data;
  // All intermediate values are whole numbers below 2²⁰ and quotients far from whole ones: recomputed in float32.
  const p = Math.fround(1 / 1021);
  const [c, s] = [rounded(draw.channels).data, rounded(draw.places).data];
  const half = rows * channels;
  exact.forEach((value, i) => {
    const [rc, place] = [Math.floor(i / places), i % places];
    const hash = Math.fround(Math.fround(c[rc] * s[place]) + c[half + rc] + s[places + place]);
    // Up to two units in the last place either way.
    for (const wrong of [-(2 ** -22), 0, 2 ** -22]) {
      const quotient = Math.floor(Math.fround(Math.fround(hash + 0.5) * p) * (1 + wrong));
      expect(hash - 1021 * quotient < 204).toBe(value === 0);
    }
  });
});

test('refuses activations of another shape', () => {
  const draw = drawDropout(RandomKey.fromSeed(5), [1, 4, 4, 4]);
  const x = RandomKey.fromSeed(6).normal([2, 4, 4, 4]);
  expect(() => evaluate(({ x, draw }) => ({ y: sum(dropout(x, draw, 0.5)) }), { x, draw })).toThrow(
    /Dropout was drawn for \[1, 4, 4, 4\], the activations are \[2, 4, 4, 4\]/,
  );
});
