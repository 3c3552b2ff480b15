/** The library of fused kernels against the reference interpreter, body by body. */
import * as mf from '@meanflow/core';
import { interpret } from '@meanflow/core/backend';
import type { Accuracy } from '@meanflow/conformance/testing';
import * as arrays from '../support.js';
import { expectClose, normal } from '../support.js';
import { encodeBody } from '../../src/native/fused/encode.js';
import { testOwnKernels } from './own-kernels.js';
import { bodyOf, runBody } from './run-body.js';

// Elsewhere there is no library of them.
const test = testOwnKernels;

const floats = (shape: mf.Shape, data: readonly number[]) => arrays.floats(data, shape);
const ints = (shape: mf.Shape, data: readonly number[]) => arrays.ints(data, shape);
const bools = (shape: mf.Shape, data: readonly boolean[]) => arrays.bools(data.map(Number), shape);

type Inputs = Readonly<Record<string, mf.HostArray>>;
type Tensors = Readonly<Record<string, mf.Tensor>>;

const traced = (inputs: Inputs, f: (inputs: Record<string, mf.Tensor>) => Tensors): mf.Graph =>
  mf.trace(
    f,
    Object.fromEntries(
      Object.entries(inputs).map(([name, { shape, dtype }]) => [name, mf.spec(shape, dtype as mf.DType)]),
    ),
  ).graph;

/** Checks every output of a body. */
async function check(
  inputs: Inputs,
  f: (inputs: Record<string, mf.Tensor>) => Tensors,
  accuracy: Accuracy = 'arithmetic',
  scale = 1,
) {
  const graph = traced(inputs, f);
  const [got, expected] = [await runBody(graph, inputs), interpret(graph, inputs)];
  for (const name of Object.keys(expected)) expectClose(got[name]!, expected[name]!, accuracy, scale);
}

const special = [0, -0, 1, -1, 0.5, -0.5, 1e-8, 1e-40, -1e-40, 1e38, 3.5, -3.5, 87.5, -88, -103.5, 20, -20, 2 ** 31, -(2 ** 31), Infinity, -Infinity, NaN]; // prettier-ignore
const dense = Array.from({ length: 1999 }, (_, i) => (i % 2 ? 1 : -1) * Math.exp(i / 60 - 25));
const numbers = floats([special.length + dense.length], [...special, ...dense]);
const pairs = special.flatMap((a) => special.map((b) => [a, b] as const));
const [left, right] = [0, 1].map((k) =>
  floats(
    [pairs.length],
    pairs.map((pair) => pair[k as 0 | 1]),
  ),
);

const unary = ['neg', 'abs', 'sign', 'floor', 'exp', 'log', 'log1p', 'sqrt', 'rsqrt', 'sin', 'cos', 'tanh', 'sigmoid', 'erf', 'erfc', 'isFinite'] as const; // prettier-ignore
const binary = [
  'add',
  'sub',
  'mul',
  'div',
  'pow',
  'maximum',
  'minimum',
  'equal',
  'less',
  'lessEqual',
] as const;

// Relative to the values themselves: tails are as accurate as the rest.
test.each(unary)('%s of special numbers, NaN and infinity, and a dense sample', async (op) => {
  await check({ x: numbers }, ({ x }) => ({ y: mf[op](x!) }), 'sum', 1e-30);
});

test('sine and cosine of small and large angles, apart from those that no reduction reaches', async () => {
  const angles = Array.from({ length: 4001 }, (_, i) => (i - 2000) * Math.exp(((i * 7) % 2000) / 160));
  const x = floats([4001], [...angles.slice(0, 4000), -0]);
  await check({ x }, ({ x }) => ({ sin: mf.sin(x!), cos: mf.cos(x!) }), 'arithmetic');
  const far = floats([3], [1e30, -3e38, 5e8]);
  await check({ far }, ({ far }) => ({ sin: mf.sin(far!), cos: mf.cos(far!) }), 'arithmetic');
});

test.each(binary)('%s of all pairs of special numbers; either may be one number for all', async (op) => {
  await check({ a: left!, b: right! }, ({ a, b }) => ({ y: mf[op](a!, b!) }));
  const one = floats([], [0.5]);
  await check({ a: one, b: right! }, ({ a, b }) => ({ y: mf[op](a!, b!), z: mf[op](b!, a!) }));
});

test('which of two zeros is the greater', async () => {
  const graph = traced({ a: left!, b: right! }, ({ a, b }) => ({
    max: mf.maximum(a!, b!),
    min: mf.minimum(a!, b!),
  }));
  const [got, expected] = [
    await runBody(graph, { a: left!, b: right! }),
    interpret(graph, { a: left!, b: right! }),
  ];
  for (const name of ['max', 'min']) {
    expect([...got[name]!.data].map((x) => Object.is(x, -0))).toEqual(
      [...expected[name]!.data].map((x) => Object.is(x, -0)),
    );
  }
});

test('whole numbers: they wrap around, and division is cut', async () => {
  const [least, most] = [-(2 ** 31), 2 ** 31 - 1];
  const of = [0, 1, -1, 7, -7, 46341, most, least];
  const [a, b] = [of.flatMap((x) => of.map(() => x)), of.flatMap(() => of)];
  await check({ a: ints([64], a), b: ints([64], b), c: ints([], [3]) }, ({ a, b, c }) => ({
    add: a!.add(b!), sub: a!.sub(b!), mul: a!.mul(b!), div: a!.div(b!), max: mf.maximum(a!, b!), min: mf.minimum(a!, c!),
    neg: a!.neg(), abs: a!.abs(), sign: mf.sign(a!), less: mf.less(a!, b!), atMost: mf.lessEqual(c!, b!), equal: mf.equal(a!, b!),
  }), 'exact'); // prettier-ignore
});

test('bools, choices and conversions', async () => {
  const [p, q] = [
    bools(
      [4, 5],
      Array.from({ length: 20 }, (_, i) => i % 3 === 0),
    ),
    bools([1, 5], [true, false, true, false, true]),
  ];
  const inputs = { p, q, r: bools([], [true]), x: normal([4, 5]), k: ints([4, 1], [-2, 0, 1, 300]) };
  await check(inputs, ({ p, q, r, x, k }) => ({
    and: mf.logicalAnd(p!, q!), or: mf.logicalOr(p!, q!), not: mf.logicalNot(p!), same: mf.equal(p!, q!),
    where: mf.where(p!, x!, 0), other: mf.where(q!, 1, x!), all: mf.where(mf.logicalAnd(r!, p!), 1, 2), chosen: mf.where(r!, x!, x!.neg()),
    whole: mf.cast(mf.mul(x!, 10), 'int32'), nonzero: mf.cast(x!, 'bool'), sum: mf.add(mf.cast(p!, 'int32'), k!), number: mf.mul(mf.cast(q!, 'float32'), x!),
  })); // prettier-ignore
  await check(
    { x: numbers },
    ({ x }) => ({ whole: mf.cast(x!, 'int32'), nonzero: mf.cast(x!, 'bool') }),
    'exact',
  );
});

test.each<readonly [string, Inputs, (inputs: Record<string, mf.Tensor>) => Tensors]>([
  ['along leading, trailing and inner axes', { x: normal([3, 5, 7]), a: normal([7], 'a'), b: normal([3, 1, 1], 'b'), c: normal([5, 1], 'c') }, ({ x, a, b, c }) => ({ y: x!.mul(a!).add(b!).mul(c!) })],
  ['to each other', { a: normal([70, 1]), b: normal([1, 90], 'b') }, ({ a, b }) => ({ sum: a!.add(b!), product: a!.mul(b!) })],
  ['across more than one chunk', { x: normal([3, 700, 3]), a: normal([3], 'a'), b: normal([700, 1], 'b'), c: normal([3, 1, 3], 'c') }, ({ x, a, b, c }) => ({ y: x!.mul(a!).add(b!).mul(c!) })],
  ['of a bias that is longer than a chunk', { x: normal([3, 2500]), a: normal([2500], 'a') }, ({ x, a }) => ({ y: x!.add(a!).mul(2) })],
  ['of bools', { x: normal([40, 50]), p: bools([50], Array.from({ length: 50 }, (_, i) => i % 7 < 3)) }, ({ x, p }) => ({ y: mf.where(p!, x!, x!.neg()) })],
  ['of single numbers', { a: normal([]), b: normal([1, 1], 'b') }, ({ a, b }) => ({ y: a!.mul(b!), z: mf.add(a!, 1) })],
])('operands repeated %s', (_, inputs, f) => check(inputs, f, 'function')); // prettier-ignore

test.each([1, 15, 16, 17, 1023, 1024, 1025, 40_000])(
  '%d elements, on as many threads as they are worth',
  async (n) => {
    const inputs = { x: normal([n]), y: normal([n], 'y') };
    await check(
      inputs,
      ({ x, y }) => ({ a: x!.mul(y!).add(1).tanh(), b: y!.sub(x!.mul(x!)), c: x!.exp() }),
      'function',
    );
  },
);

const standardized = (x: mf.Tensor, axes: readonly number[]) => {
  const centred = x.sub(mf.mean(x, axes, { keepDims: true }));
  return centred.mul(mf.rsqrt(mf.mean(mf.square(centred), axes, { keepDims: true }).add(1e-6)));
};
const softmax = (x: mf.Tensor) => {
  const e = mf.exp(x.sub(mf.max(x, -1, { keepDims: true })));
  return e.div(mf.sum(e, -1, { keepDims: true }));
};

test.each<readonly [string, Inputs, (inputs: Record<string, mf.Tensor>) => Tensors]>([
  ['a modulated LayerNorm', { x: normal([3, 7, 192]), s: normal([3, 1, 192], 's'), b: normal([3, 1, 192], 'b') }, ({ x, s, b }) => ({ y: standardized(x!, [-1]).mul(s!.add(1)).add(b!) })],
  ['LayerNorm with its tangent', { x: normal([5, 9, 65]), t: normal([5, 9, 65], 't') }, ({ x, t }) => { const [y, dy] = mf.jvp((x: mf.Tensor) => standardized(x, [-1]), [x!], [t!]); return { y, dy }; }],
  ['softmax of short rows', { x: normal([37, 10]) }, ({ x }) => ({ y: softmax(x!) })],
  ['softmax of rows longer than a chunk', { x: normal([7, 3000]) }, ({ x }) => ({ y: softmax(x!), top: mf.max(x!, -1) })],
  ['rows of two axes', { x: normal([9, 3, 31]), b: normal([31], 'b'), q: normal([3, 1], 'q') }, ({ x, b, q }) => ({ y: standardized(x!.add(b!).mul(q!), [1, 2]) })],
  ['one row', { x: normal([9, 31]) }, ({ x }) => ({ sum: mf.sum(x!), y: x!.div(mf.max(x!)) })],
  ['numbers of rows, with their axes and without', { x: normal([9, 31]), r: normal([9, 1], 'r') }, ({ x, r }) => { const s = mf.sum(x!.mul(r!), -1); return { s, t: mf.reshape(s.mul(2), [9, 1]).add(r!), y: mf.reshape(s, [9, 1]).mul(x!) }; }],
])('%s', (_, inputs, f) => check(inputs, f, 'sum')); // prettier-ignore

test('sums and maxima of whole numbers and of rows with NaN and infinity', async () => {
  await check({ k: ints([5, 100], Array.from({ length: 500 }, (_, i) => (i * 7919 * 65537) | 0)) }, ({ k }) => ({ sum: mf.sum(k!, -1), max: mf.max(k!, -1) }), 'exact');
  const rows = floats([4, 70], Array.from({ length: 280 }, (_, i) => [Infinity, -Infinity, NaN, 1][Math.floor(i / 70)]! * (i % 70 === 33 ? 1 : 0.5)));
  const spoilt = floats([4, 70], Array.from(rows.data, (x, i) => (i === 3 ? NaN : i === 80 ? Infinity : x)));
  await check({ rows, spoilt }, ({ rows, spoilt }) => ({ sum: mf.sum(rows!, -1), max: mf.max(rows!.add(spoilt!), -1), least: mf.max(spoilt!, -1) }));
}); // prettier-ignore

test('values that are returned unchanged, twice, or under another shape', async () => {
  await check({ x: normal([4, 4]), s: normal([4, 1], 's') }, ({ x, s }) => {
    const y = x!.neg();
    return { x: x!, y, again: y, shaped: mf.reshape(y, [4, 1, 4]), sum: y.add(s!), spread: mf.broadcastTo(s!, [4, 4]) };
  }, 'exact'); // prettier-ignore
});

test('a list that is no body is refused, saying why', async () => {
  const inputs = { x: normal([8]) };
  const graph = traced(inputs, ({ x }) => ({ y: x!.neg().exp() }));
  const words = encodeBody(bodyOf(graph))!;
  const altered = (at: number, word: bigint) => words.map((old, i) => (i === at ? word : old));
  await expect(runBody(graph, inputs, altered(0, 3n))).rejects.toThrow('different releases');
  await expect(runBody(graph, inputs, altered(1, 9n))).rejects.toThrow('sizes of an input');
  await expect(runBody(graph, inputs, altered(words.length - 3, 77n))).rejects.toThrow('slot of an operand');
  await expect(runBody(graph, inputs, words.slice(0, -1))).rejects.toThrow('body cannot be read');
});
