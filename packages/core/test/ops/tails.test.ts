/**
 * Functions with tails, and their first two derivatives, against values of 50 digits (data/tails.py): relative to each
 * value, for the interpreter is what backends are held to.
 */
import { readFileSync } from 'node:fs';
import {
  erf,
  erfc,
  gelu,
  grad,
  log1p,
  sigmoid,
  silu,
  softplus,
  sum,
  tanh,
  type Tensor,
} from '../../src/index.js';
import { interpret } from '../../src/backend-door.js';
import { floats, graphOf } from '../support/numeric.js';

type Unary = (x: Tensor) => Tensor;
const functions: Readonly<Record<string, Unary>> = {
  sigmoid,
  tanh,
  log1p,
  erf,
  erfc,
  softplus,
  silu,
  gelu: (x) => gelu(x),
  geluTanh: (x) => gelu(x, { approximate: 'tanh' }),
};
const known = JSON.parse(readFileSync(new URL('../data/tails.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Readonly<Record<'x' | 'value' | 'slope' | 'second derivative', string>>>
>;

const slope =
  (f: Unary): Unary =>
  (x) =>
    grad((y: Tensor) => sum(f(y)))(x);

/** Largest relative error allowed, by order: exponentials of expressions multiply their roundings. */
const TOLERANCES = [5e-14, 1e-12, 1e-12];

describe.each(Object.keys(functions))('%s', (name) => {
  const numbers = (list: string): number[] => list.split(' ').map(Number);
  const x = numbers(known[name].x);
  const f = functions[name];
  it.each([
    ['value', f, 0],
    ['slope', slope(f), 1],
    ['second derivative', slope(slope(f)), 2],
  ] as const)('%s', (title, of, order) => {
    const values = numbers(known[name][title]);
    const { output } = interpret(graphOf(of, [floats(x)]), { 0: floats(x) });
    const wrong = x.flatMap((at, i) => {
      const [got, wanted] = [output.data[i], values[i]];
      const error = Math.abs(got - wanted) / Math.max(Math.abs(wanted), Number.MIN_VALUE);
      return error <= TOLERANCES[order] ? [] : [`at ${at}: ${got}, not ${wanted} (${error.toPrecision(2)})`];
    });
    expect(wrong).toEqual([]);
  });
});
