import { RandomKey, sizeOf } from '@meanflow/core';
import { coordinatesOf, Index, linear } from '../src/webgpu/index-expression.js';

/** Computes an expression as WGSL does: in whole numbers, with quotients and remainders that truncate. */
function valueAt(index: Index, i: number): number {
  const text = index.toWgsl().replace(/\//g, '|');
  let at = 0;
  const skip = () => {
    while (text[at] === ' ') at++;
  };
  const atom = (): number => {
    skip();
    if (text[at] === '(') {
      at++;
      const value = sum();
      at++;
      return value;
    }
    const [token] = /^(-?\d+|i)/.exec(text.slice(at))!;
    at += token.length;
    return token === 'i' ? i : Number(token);
  };
  const product = (): number => {
    let value = atom();
    for (skip(); '*|%'.includes(text[at] ?? '+'); skip()) {
      const operator = text[at++];
      const right = atom();
      value = operator === '*' ? value * right : operator === '|' ? Math.trunc(value / right) : value % right;
    }
    return value;
  };
  const sum = (): number => {
    let value = product();
    for (skip(); text[at] === '+'; skip()) {
      at++;
      value += product();
    }
    return value;
  };
  // Whole numbers have no −0.
  return sum() + 0;
}

const place = (size: number) => Index.variable('i', size);

test('a reshape that is undone, or changes nothing, costs nothing', () => {
  for (const [from, to] of [
    [[2, 3, 4], [24]],
    [
      [2, 3, 4],
      [6, 4],
    ],
    [
      [2, 3, 4],
      [2, 12],
    ],
    [
      [2, 3, 4],
      [4, 3, 2],
    ],
    [
      [1, 24],
      [24, 1, 1],
    ],
  ]) {
    const through = coordinatesOf(linear(coordinatesOf(place(24), from), from), to);
    expect(linear(through, to).toWgsl()).toBe('i');
  }
});

test('heads are split and joined without quotients of quotients', () => {
  const [batch, tokens, heads, depth] = [2, 5, 3, 4];
  const joined = [batch, tokens, heads * depth];
  const split = [batch, tokens, heads, depth];
  const at = coordinatesOf(place(sizeOf(joined)), joined);
  const inHeads = coordinatesOf(linear(at, joined), split);
  expect(inHeads.map((index) => index.toWgsl())).toEqual([
    '(i / 60)',
    '((i / 12) % 5)',
    '((i / 4) % 3)',
    '(i % 4)',
  ]);
});

test('rows and their elements put the place together again', () => {
  const [rows, width] = [6, 8];
  const at = Index.variable('o', rows).times(width).plus(Index.variable('r', width));
  const [b, t, c] = coordinatesOf(at, [2, 3, 8]);
  expect([b, t, c].map((index) => index.toWgsl())).toEqual(['(o / 3)', '(o % 3)', 'r']);
  expect(linear([b, t], [2, 3]).toWgsl()).toBe('o');
  expect(at.variables().sort()).toEqual(['o', 'r']);
});

test('bounds hold', () => {
  const reversed = Index.number(9).plus(place(10).times(-1));
  expect(reversed.bounds).toEqual([0, 9]);
  expect(reversed.div(10).toWgsl()).toBe('0');
  expect(reversed.mod(10).toWgsl()).toBe(reversed.toWgsl());
});

test('a dividend that may be negative is lifted by a multiple of the divisor', () => {
  const reversed = Index.number(7).plus(place(8).times(-1));
  // Of a column-major reading backwards: 7 − i over 4 by 2.
  expect(reversed.div(4).toWgsl()).toBe('((-1 * i + 7) / 4)');
  for (const [scale, offset] of [
    [-1, 0],
    [-3, 5],
    [2, -9],
    [-6, 1],
    [-4, 2],
  ]) {
    const index = place(11).times(scale).plus(Index.number(offset));
    for (const n of [1, 2, 3, 4, 6, 12])
      for (let i = 0; i < 11; i++) {
        const value = scale * i + offset;
        expect(valueAt(index.div(n), i)).toBe(Math.floor(value / n));
        expect(valueAt(index.mod(n), i)).toBe(value - n * Math.floor(value / n));
        // What is taken apart is put together again.
        expect(valueAt(index.div(n).times(n).plus(index.mod(n)), i)).toBe(value);
        expect(valueAt(index.div(n).div(3), i)).toBe(Math.floor(value / n / 3));
        expect(valueAt(index.mod(n).times(-1).div(2), i)).toBe(
          Math.floor((n * Math.floor(value / n) - value) / 2),
        );
      }
  }
  expect(reversed.div(4).times(4).plus(reversed.mod(4)).toWgsl()).toBe(reversed.toWgsl());
});

test('chains of views, forwards and backwards, agree with walking through them one by one', () => {
  const key = RandomKey.fromSeed(11);
  const shapes = [[24], [2, 12], [4, 6], [2, 3, 4], [3, 2, 2, 2], [1, 8, 3]];
  for (let chain = 0; chain < 400; chain++) {
    const choices = key.fold(chain).uniform([12]).data;
    const choose = (k: number, n: number) => Math.floor(choices[k] * n);
    let symbolic = place(24);
    const steps: ((n: number) => number)[] = [];
    for (let k = 0; k < 12; k += 3) {
      const shape = shapes[choose(k, shapes.length)];
      const order = [...shape.keys()].sort((a, b) => ((a * 7 + choose(k + 1, 5)) % 5) - ((b * 7) % 5));
      const result = order.map((axis) => shape[axis]);
      const isReversed = order.map((axis) => (choose(k + 2, 16) >> axis) % 2 === 1);
      const move = (coordinates: readonly Index[]) =>
        linear(
          order.map((_, axis) => {
            const at = coordinates[order.indexOf(axis)];
            return isReversed[axis] ? Index.number(shape[axis] - 1).plus(at.times(-1)) : at;
          }),
          shape,
        );
      symbolic = move(coordinatesOf(symbolic, result));
      steps.push((n) => valueAt(move(coordinatesOf(Index.number(n), result)), 0));
    }
    for (let i = 0; i < 24; i++) {
      expect(valueAt(symbolic, i)).toBe(steps.reduce((n, step) => step(n), i));
    }
  }
});
