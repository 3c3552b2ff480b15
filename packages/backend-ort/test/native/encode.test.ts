/** Bodies of fused calls as the library reads them, and what of them is refused; that they are computed rightly is in fused.test.ts. */
import * as mf from '@meanflow/core';
import { prepare } from '@meanflow/core/backend';
import { encodeBody } from '../../src/native/fused/encode.js';

type Shapes = Readonly<Record<string, mf.Shape>>;

const encode = <Names extends string>(
  shapes: Readonly<Record<Names, mf.Shape>>,
  f: (inputs: Readonly<Record<Names, mf.Tensor>>) => mf.Tensor | readonly mf.Tensor[],
): readonly number[] | undefined => {
  const specs = Object.fromEntries(
    Object.entries<mf.Shape>(shapes as Shapes).map(([name, shape]) => [name, mf.spec(shape)]),
  );
  const { graph } = mf.trace((inputs) => {
    const outputs = f(inputs as Readonly<Record<Names, mf.Tensor>>);
    return outputs instanceof mf.Tensor ? [outputs] : outputs;
  }, specs);
  return encodeBody(prepare(graph))?.map(Number);
};

const [SINGLE, ROW, FULL] = [0, 1, 2];
const FLOAT = 1;
const bits = (x: number) => new Int32Array(Float32Array.of(x).buffer)[0]!;

test('a chain of one shape is walked as one axis, and its values share registers', () => {
  const words = encode({ x: [2, 3] }, ({ x }) => x.tanh().neg().exp().add(2));
  const [tanh, neg, exp, add] = [17, 6, 10, 30];
  // Slots: x, the output, the constant, two registers.
  expect(words).toEqual([
    2, 6, 1, 1, 1, 2,
    1, FLOAT, FULL, 0, 1, 6, 1,
    1, FLOAT, FULL, 2, 2, 3,
    bits(2),
    4,
    tanh, FULL, 3, 0, 0, 0,
    neg, FULL, 4, 3, 0, 0,
    exp, FULL, 3, 4, 0, 0,
    add, FULL, 1, 3, 2, 0,
  ]); // prettier-ignore
});

test('a product goes into the sum that alone reads it', () => {
  const operations = (words: readonly number[] | undefined) => words!.slice(-6);
  const mulAdd = encode({ x: [4], y: [4], z: [4] }, ({ x, y, z }) => x.mul(y).add(z));
  const negMulAdd = encode({ x: [4], y: [4], z: [4] }, ({ x, y, z }) => z.sub(x.mul(y)));
  expect(operations(mulAdd)).toEqual([52, FULL, 3, 0, 1, 2]);
  expect(operations(negMulAdd)).toEqual([54, FULL, 3, 0, 1, 2]);
  const both = encode({ x: [4], y: [4], z: [4] }, ({ x, y, z }) => [x.mul(y), x.mul(y).add(z)]);
  expect(both!.at(-12)).toBe(32);
});

test('operands that are repeated say along which axes, and neighbours that lie evenly are one axis', () => {
  const words = encode({ x: [2, 3, 4, 5], scale: [2, 1, 1, 5], bias: [4, 5] }, ({ x, scale, bias }) =>
    x.mul(scale).add(bias),
  );
  expect(words!.slice(6, 6 + 1 + 8 + 10 + 6)).toEqual([
    3,
    FLOAT, FULL, 0, 2, 6, 0, 20, 1,
    FLOAT, FULL, 0, 3, 2, 5, 12, 0, 5, 1,
    FLOAT, FULL, 0, 1, 120, 1,
  ]); // prettier-ignore
});

test('an operand that is part of another says where it begins and how far its neighbours lie apart', () => {
  const { graph } = mf.trace(({ x, y }) => x.mul(y).tanh(), { x: mf.spec([4, 3, 5]), y: mf.spec([4, 3, 5]) });
  const words = encodeBody(prepare(graph), [undefined, { offset: 17, strides: [30, 10, 1] }])!.map(Number);
  expect(words.slice(6, 6 + 1 + 6 + 8)).toEqual([
    2,
    FLOAT, FULL, 0, 1, 60, 1,
    FLOAT, FULL, 17, 2, 12, 10, 5, 1,
  ]); // prettier-ignore
});

test('reductions over trailing axes make rows', () => {
  const words = encode({ x: [3, 4, 5] }, ({ x }) => mf.sub(x, mf.sum(x, [1, 2], { keepDims: true })));
  const [version, rows, row] = words!;
  expect([version, rows, row]).toEqual([2, 3, 20]);
  const [rowSum, expand, sub] = [2, 1, 31];
  const steps = [rowSum, ROW, 2, 0, 0, 0, expand, FULL, 3, 2, 0, 0, sub, FULL, 1, 0, 3, 0];
  expect(words!.slice(-18)).toEqual(steps);
});

test('what depends on single numbers alone is computed once, and first', () => {
  const words = encode({ x: [8], rate: [] }, ({ x, rate }) => x.mul(x).add(rate.mul(rate).sqrt()));
  expect(words!.slice(-18).filter((_, i) => i % 6 === 1)).toEqual([SINGLE, SINGLE, FULL]);
});

test.each<readonly [string, readonly number[] | undefined]>([
  ['an op that is not elementwise', encode({ x: [2, 3] }, ({ x }) => mf.transpose(x, [1, 0]).neg())],
  ['sums over leading axes', encode({ x: [2, 3] }, ({ x }) => x.sub(mf.sum(x, [0], { keepDims: true })))],
  ['sums over different axes', encode({ x: [2, 3] }, ({ x }) => x.sub(mf.sum(x)).sub(mf.sum(x, [1], { keepDims: true })))],
  ['an array without elements', encode({ x: [0, 3] }, ({ x }) => x.neg())],
  ['constants that are arrays', encode({ x: [2] }, ({ x }) => x.add(mf.constant([1, 2])))],
  ['a row that is too long', encode({ x: [2, 70000] }, ({ x }) => x.sub(mf.sum(x, [1], { keepDims: true })))],
])('%s is refused', (_, words) => {
  expect(words).toBeUndefined();
}); // prettier-ignore
