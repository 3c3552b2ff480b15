/** Composites as operators of ONNX; that they compute what they should is the conformance kit's to say. */
import * as mf from '@meanflow/core';
import { interpret } from '@meanflow/core/backend';
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { exportOnnx, toOnnx } from '../src/index.js';
import { backend, check } from './support.js';

type Unary = (x: mf.Tensor) => mf.Tensor;
const UNARY: [string, Unary, string][] = [
  ['softmax', (x) => mf.softmax(x), 'Softmax'],
  ['layerNorm', (x) => mf.layerNorm(x), 'LayerNormalization'],
  ['rmsNorm', (x) => mf.rmsNorm(x, { epsilon: 1e-3 }), 'RMSNormalization'],
];
/** Whose operators lose their tails. */
const LEFT: [string, Unary][] = [
  ['silu', (x) => mf.silu(x)],
  ['gelu', (x) => mf.gelu(x)],
  ['geluTanh', (x) => mf.gelu(x, { approximate: 'tanh' })],
  ['softplus', (x) => mf.softplus(x)],
];

const operators = (graph: mf.Graph) =>
  fromBinary(ModelProtoSchema, toOnnx(graph)).graph!.node.map(({ opType }) => opType);

describe.each(UNARY)('%s', (_, f, operator) => {
  test('is written as its operator', () => {
    const { graph } = mf.trace(f, mf.spec([3, 4]));
    expect(operators(graph)).toContain(operator);
  });
});

test.each(LEFT)('%s is left to its decomposition', (_, f) => {
  const { graph } = mf.trace(f, mf.spec([3, 4]));
  const found = operators(graph);
  expect(found).toContain('Exp');
  for (const op of ['Sigmoid', 'QuickGelu', 'Gelu', 'Softplus']) expect(found).not.toContain(op);
});

describe.each(UNARY)("a user's own composite called %s", (name, _, operator) => {
  test('is written as its decomposition, in files too', () => {
    const own = { name, decompose: ([x]: readonly mf.Tensor[]) => [mf.sin(x)] };
    const { graph } = mf.trace(
      (x: mf.Tensor) => mf.callComposite(own, [x], { epsilon: 1e-6 })[0],
      mf.spec([3, 4]),
    );
    expect(operators(graph)).not.toContain(operator);
    expect(operators(graph)).toContain('Sin');
    const exported = exportOnnx(graph, {
      inputs: { input: 'x' },
      outputs: { output: 'y' },
      parameters: {},
      dataFile: 'weights',
    });
    const written = fromBinary(ModelProtoSchema, Buffer.concat([...exported.model.chunks()]));
    expect(written.graph!.node.map(({ opType }) => opType)).not.toContain(operator);
  });
});

test('an activation whose inside the derivative needs anyway is not computed twice', () => {
  const { graph } = mf.trace(
    (x: mf.Tensor) => {
      const [value, tangent] = mf.jvp<[mf.Tensor], mf.Tensor>((t) => mf.silu(t), [x], [x]);
      return { value, tangent };
    },
    mf.spec([3, 4]),
  );
  const found = operators(graph);
  expect(found.filter((op) => op === 'Exp')).toHaveLength(1);
});

const wave = (shape: mf.Shape) => mf.RandomKey.fromSeed(1).uniform(shape);

test.each<[string, mf.Shape, readonly number[], string[]]>([
  ['columns', [1024, 256], [0], ['Gemm', 'Gemm']],
  ['few columns', [32, 4], [0], ['Gemm']],
  ['short rows', [64, 200], [1], ['ReduceSum']],
  ['long rows', [4, 4096], [1], ['ReduceSum', 'ReduceSum']],
  ['a middle axis', [8, 1024, 3], [1], ['ReduceSum', 'ReduceSum']],
  ['axes apart', [4, 3, 16], [0, 2], ['ReduceSum', 'Gemm']],
])('a sum over %s is taken in parts', async (_, shape, axes, expected) => {
  const { graph } = mf.trace((x: mf.Tensor) => mf.sum(x, axes), mf.spec(shape));
  const sums = operators(graph).filter((op) => op === 'Gemm' || op === 'ReduceSum');
  expect(sums).toEqual(expected);
  await check((x) => mf.sum(x, axes), [wave(shape)], 'sum');
});

test.each(UNARY.filter(([name]) => name.endsWith('Norm')))(
  '%s of long rows is left to its decomposition, whose sums are pairwise',
  async (_, f, operator) => {
    const long = 2 ** 20;
    const { graph } = mf.trace(f, mf.spec([1, long]));
    expect(operators(graph)).not.toContain(operator);
    const executable = await (await backend()).compile(graph);
    const x = mf.RandomKey.fromSeed(2).normal([1, long]);
    const { data } = await (await executable.run({ input: x })).output.read();
    const wanted = Array.from(interpret(graph, { input: x }).output.data);
    const worst = wanted.reduce((most, y, i) => Math.max(most, Math.abs(y - data[i])), 0);
    // Some roundings of numbers up to 5; by the operator it is 5e-5.
    expect(worst).toBeLessThan(2e-6);
    await executable.dispose();
  },
);

test('2²⁵ ones are 33554432, over either axis', async () => {
  const ones = new mf.HostArray('float32', [2 ** 25], new Float32Array(2 ** 25).fill(1));
  const { graph } = mf.trace(
    (x: mf.Tensor) => ({ column: mf.sum(mf.reshape(x, [-1, 1]), 0), all: mf.sum(x) }),
    mf.spec([2 ** 25]),
  );
  const executable = await (await backend()).compile(graph);
  const { column, all } = await executable.run({ input: ones });
  expect([(await column.read()).item(), (await all.read()).item()]).toEqual([2 ** 25, 2 ** 25]);
  await executable.dispose();
});
