/**
 * Where languages and devices differ, and core has decided: indices outside of a table, derivatives at kinks, composites
 * of NaN and infinities. The interpreter, which core's own tests compare with JAX, is the oracle.
 */
import {
  abs,
  add,
  attention,
  clip,
  div,
  equal,
  gather,
  gelu,
  grad,
  groupNorm,
  jvp,
  layerNorm,
  logicalNot,
  matmul,
  max,
  maximum,
  min,
  minimum,
  mul,
  neg,
  oneHot,
  pow,
  relu,
  reshape,
  rmsNorm,
  scatterAdd,
  sigmoid,
  silu,
  softmax,
  softplus,
  sqrt,
  sub,
  sum,
  where,
  less,
  log,
  type HostArray,
  type Tensor,
} from '@meanflow/core';
import { valueCase, type TensorFunction } from './build.js';
import type { GraphCase } from './case.js';
import { bool, f32, floats, i32, ints } from './inputs.js';

/** Indices of which all but two name no row of a table of four. */
const ASTRAY = [3, -1, 4, 0, -4, -5, 2 ** 31 - 1, -(2 ** 31)];

/** Indices that name no row: gather fills, scatterAdd drops, and neither takes the nearest or counts from the end. */
function indexCases(): GraphCase[] {
  const astray = () => i32(ASTRAY);
  const rows = () => floats([ASTRAY.length, 3], -1, 1, 'rows');
  const tables: readonly (readonly [string, () => HostArray])[] = [
    ['float32', () => floats([4, 3])],
    ['int32', () => ints([4, 3])],
    ['bool', () => bool([0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0], [4, 3])],
    ['float32 of numbers', () => floats([4])],
    ['float32 of matrices', () => floats([4, 2, 2])],
  ];
  const many = (size: number) => ints([size], -300, 600, 'astray');
  const wrong = () => f32([NaN, 1, Infinity, 2, -Infinity, NaN, 3, NaN], [8, 1]);
  return [
    ...tables.map(([name, table]) =>
      valueCase('gather', `${name}, out of range`, gather as TensorFunction, () => [table(), astray()], {
        features: ['nan'],
      }),
    ),
    valueCase('gather', 'one index out of range', gather as TensorFunction, () => [floats([4, 3]), i32([-1], [])], { features: ['nan'] }),
    valueCase('gather', 'a matrix of indices out of range', gather as TensorFunction, () => [floats([4, 3]), i32(ASTRAY, [2, 4])], { features: ['nan'] }),
    valueCase('gather', 'rows of no table', gather as TensorFunction, () => [floats([0, 3]), astray()], { features: ['nan', 'zero-size'] }),
    valueCase('gather', 'int32 of no table', gather as TensorFunction, () => [ints([0]), i32([0, -1])], { features: ['int32', 'zero-size'] }),
    valueCase('gather', 'gradient, out of range', (table, at, c) => grad((t: Tensor) => sum(where(less(c, 9), mul(gather(mul(t, t), at), c), 0)))(table), () => [floats([4, 3]), astray(), rows()], { aspect: 'derivatives' }),
    valueCase('gather', 'tangent, out of range', (table, at, dt) => jvp((t: Tensor) => gather(t, at), [table], [dt])[1], () => [floats([4, 3]), astray(), floats([4, 3], -1, 1, 'tangent')], { aspect: 'derivatives' }),
    valueCase('scatterAdd', 'out of range', (updates, at) => scatterAdd(updates, at, 4), () => [rows(), astray()]),
    valueCase('scatterAdd', 'NaN out of range', (updates, at) => scatterAdd(updates, at, 4), () => [wrong(), astray()], { features: ['nan', 'infinity'] }),
    valueCase('scatterAdd', 'all out of range', (updates, at) => scatterAdd(updates, at, 2), () => [floats([3, 2]), i32([-1, 2, 7])]),
    valueCase('scatterAdd', 'into 300 rows, out of range', (updates, at) => scatterAdd(updates, at, 300), () => [floats([700, 2], -1, 1), many(700)]),
    valueCase('scatterAdd', 'into 300 rows, NaN out of range', (updates, at) => scatterAdd(updates, at, 300), () => [f32([NaN, 1, Infinity, 2, 3, NaN], [3, 2]), i32([-1, 7, 300])], { features: ['nan', 'infinity'] }),
    valueCase('scatterAdd', 'gradient, out of range', (updates, at, c) => grad((u: Tensor) => sum(mul(scatterAdd(mul(u, u), at, 4), c)))(updates), () => [rows(), astray(), floats([4, 3], -1, 1, 'cotangent')], { aspect: 'derivatives' }),
    valueCase('equal', 'oneHot out of range', (at) => oneHot(at, 4), () => [astray()], { features: ['int32'] }),
  ]; // prettier-ignore
}

/** Operands on kinks and beside them, of either zero, and NaN. */
const KINKS = [0, -0, 1, -1, 0.5, -2, NaN];

function kinkCases(): GraphCase[] {
  const slope = (f: (x: Tensor) => Tensor) => (x: Tensor) => grad((y: Tensor) => sum(f(y)))(x);
  const at = (op: string, name: string, f: (x: Tensor) => Tensor, values: readonly number[] = KINKS) =>
    valueCase(op, `derivative of ${name} at its kinks`, slope(f), () => [f32(values)], {
      aspect: 'derivatives',
      features: ['nan', 'signed-zero'],
    });
  const both = (op: string, f: (x: Tensor, y: Tensor) => Tensor) =>
    valueCase(op, 'derivatives of equal operands', (x, y) => [
      grad((a: Tensor) => sum(f(a, y)))(x),
      grad((b: Tensor) => sum(f(x, b)))(y),
    ], () => [f32([1, 2, 0, -0, NaN, 1]), f32([1, 3, -0, 0, 1, NaN])], { aspect: 'derivatives', features: ['nan', 'signed-zero'] }); // prettier-ignore
  const ties = () => [f32([1, 3, 3, 0, -0, -1, NaN, 1, 2, -Infinity, -Infinity, -Infinity], [4, 3])];
  const overRows = (name: string, f: (x: Tensor, axis: number) => Tensor) =>
    valueCase('reduceMax', `derivative of ${name} at ties`, slope((x) => f(x, 1)), ties, { aspect: 'derivatives', features: ['nan', 'infinity'] }); // prettier-ignore
  return [
    at('relu', 'relu', relu),
    at('abs', 'abs', abs),
    at('maximum', 'max(x, 0)', (x) => maximum(x, 0)),
    at('minimum', 'clip', (x) => clip(x, -1, 1)),
    at('sqrt', 'sqrt', sqrt, [0, 4, Infinity]),
    at('pow', 'x⁰', (x) => pow(x, mul(x, 0)), [0, 2, -1]),
    at('pow', 'x²', (x) => pow(x, max(x.mul(0).add(2))), [0, 2, -1]),
    at('select', 'log where it is one', (x) => where(less(0, x), log(where(less(0, x), x, 1)), 0)),
    both('maximum', maximum),
    both('minimum', minimum),
    overRows('max', (x, axis) => max(x, axis)),
    overRows('min', (x, axis) => min(x, axis)),
    valueCase('pow', 'derivatives at special bases', (x, p) => [
      grad((a: Tensor) => sum(pow(a, p)))(x),
      grad((b: Tensor) => sum(pow(x, b)))(p),
    ], () => [f32([0, 0, 0, 0, -1, 2, 1]), f32([1, 2, 0.5, 0, 2, 0, 3])], { aspect: 'derivatives', features: ['infinity', 'nan'] }), // prettier-ignore
  ];
}

const SPECIAL = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 3.4e38, -3.4e38, 1e-30];
/** Rows that have a NaN, an infinity of either sign or both, or nothing else. */
const ROWS = [
  [-Infinity, -Infinity, -Infinity],
  [Infinity, 1, 2],
  [-Infinity, 1, 2],
  [NaN, 1, 2],
  [1, 2, NaN],
  [Infinity, Infinity, -Infinity],
  [Infinity, -Infinity, NaN],
  [1, 2, 3],
];

function compositeCases(): GraphCase[] {
  const aspect = 'composites';
  const features = ['nan', 'infinity'] as const;
  const activations: Readonly<Record<string, (x: Tensor) => Tensor>> = {
    relu,
    silu,
    softplus,
    gelu: (x) => gelu(x),
    geluTanh: (x) => gelu(x, { approximate: 'tanh' }),
  };
  const rowwise: Readonly<Record<string, (x: Tensor) => Tensor>> = {
    softmax,
    layerNorm: (x) => layerNorm(x),
    rmsNorm: (x) => rmsNorm(x),
  };
  const rows = () => [f32(ROWS.flat(), [ROWS.length, 3])];
  const slope = (f: (x: Tensor) => Tensor) => (x: Tensor) => grad((y: Tensor) => sum(f(y)))(x);
  return [
    ...Object.entries(activations).map(([op, f]) =>
      valueCase(op, 'special numbers', f, () => [f32(SPECIAL)], { aspect, features }),
    ),
    ...Object.entries(rowwise).map(([op, f]) =>
      valueCase(op, 'NaN and infinities', f, rows, { aspect, features }),
    ),
    valueCase('softmax', 'two infinities', softmax, () => [f32([-Infinity, -Infinity, Infinity, 1], [2, 2])], { aspect, features }),
    valueCase('softmax', 'one element', softmax, () => [f32([Infinity, -Infinity, NaN, 3], [4, 1])], { aspect, features }),
    valueCase('softmax', 'a long row with a NaN, one with an ∞, one of −∞', softmax, () => [
      f32(Array.from({ length: 900 }, (_, i) => (i === 290 ? NaN : i === 301 ? Infinity : i < 600 ? i % 7 : -Infinity)), [3, 300]),
    ], { aspect, features }),
    valueCase('layerNorm', 'groups with a NaN', (x) => groupNorm(x, { groups: 2 }), () => [f32([NaN, 1, 2, 3, 4, 5, 6, 8], [1, 4, 2])], { aspect, features }),
    ...(['query', 'key', 'value'] as const).map((_, which) =>
      valueCase('attention', `a NaN and an ∞ in the ${['queries', 'keys', 'values'][which]}`, attention as TensorFunction, () =>
        [0, 1, 2].map((i) => {
          const data = floats([1, 1, 3, 2], 0.5, 1, `operand ${i}`);
          return i === which ? f32([...data.data].map((x, k) => (k === 0 ? NaN : k === 5 ? Infinity : x)), data.shape) : data;
        }), { aspect, features }),
    ),
    ...([['relu', relu], ['softplus', softplus], ['sigmoid', sigmoid]] as const).map(([op, f]) =>
      valueCase(op, 'derivative at special numbers', slope(f), () => [f32([NaN, Infinity, -Infinity, 0, 100, -100])], { aspect: 'derivatives', features }),
    ),
  ]; // prettier-ignore
}

/** What algebra would shorten if there were no NaN and no infinity. */
function algebraCases(): GraphCase[] {
  const features = ['nan', 'infinity', 'signed-zero'] as const;
  const shorter: readonly (readonly [string, string, (x: Tensor) => Tensor])[] = [
    ['mul', '0 · x', (x) => mul(0, x)],
    ['mul', 'x · −0', (x) => mul(x, -0)],
    ['mul', '(x · 0) · 3', (x) => mul(mul(x, 0), 3)],
    ['div', '0 / x', (x) => div(0, x)],
    ['div', 'x / 0', (x) => div(x, 0)],
    ['div', 'x / x', (x) => div(x, x)],
    ['sub', 'x − x', (x) => sub(x, x)],
    ['sub', '0 − x', (x) => sub(0, x)],
    ['add', '−x + x', (x) => add(neg(x), x)],
    ['add', 'x + 0', (x) => add(x, 0)],
    ['maximum', 'max(x, −∞)', (x) => maximum(x, -Infinity)],
    ['reduceSum', 'Σ 0 · x', (x) => sum(mul(x, 0), 0, { keepDims: true })],
    ['equal', 'x = x', (x) => equal(x, x)],
    ['not', '¬(x < 1)', (x) => logicalNot(less(x, 1))],
    ['dotGeneral', 'a product with zeros', (x) => matmul(reshape(mul(x, 1), [SPECIAL.length, 1]), mul(reshape(x, [1, SPECIAL.length]), 0))],
  ]; // prettier-ignore
  return shorter.map(([op, name, f]) => valueCase(op, `${name} at special numbers`, f, () => [f32(SPECIAL)], { features })); // prettier-ignore
}

/** All of them. */
export function edgeCases(): GraphCase[] {
  return [...indexCases(), ...kinkCases(), ...compositeCases(), ...algebraCases()];
}
