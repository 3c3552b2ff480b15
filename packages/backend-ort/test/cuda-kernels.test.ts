/**
 * What can be known of the CUDA provider without it: that every operator which a model has is one of its kernels, for
 * those element types. Otherwise the node would be the CPU's, which the session forbids.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, TensorProto_DataType, type NodeProto } from 'onnx-buf';
import { conformanceCases } from '@meanflow/conformance';
import * as mf from '@meanflow/core';
import { interpret } from '@meanflow/core/backend';
import { ortBackend, toOnnx } from '../src/index.js';
import { bools, expectClose, floats, ints } from './support.js';

/**
 * Element types of the first data operand, by operator, of kernels of operator set 21. Source: docs/OperatorKernels.md of
 * ONNX Runtime, section "Operators implemented by CUDAExecutionProvider"; only the types that graphs have.
 */
const [f, fi, fb, fib, b] = [
  ['float'],
  ['float', 'int32'],
  ['float', 'bool'],
  ['float', 'int32', 'bool'],
  ['bool'],
];
const kernels: Readonly<Record<string, readonly string[]>> = {
  ...{ Abs: fi, Add: fi, Div: fi, Max: fi, Min: fi, Mul: fi, Neg: fi, Sign: fi, Sub: fi, Pow: fi },
  ...{
    Ceil: f,
    Cos: f,
    Erf: f,
    Exp: f,
    Floor: f,
    Log: f,
    Reciprocal: f,
    Round: f,
    Sigmoid: f,
    Sin: f,
    Sqrt: f,
    Tanh: f,
  },
  ...{ And: b, Not: b, Or: b, Equal: fib, Less: fi, LessOrEqual: fi, IsNaN: f, Where: fi, Cast: fib },
  ...{ ReduceL1: fi, ReduceMax: fi, ReduceMin: fi, ReduceSum: fi },
  ...{
    Concat: fib,
    Expand: fib,
    Gather: fib,
    Identity: fib,
    Pad: fb,
    Reshape: fib,
    Slice: fib,
    Transpose: fib,
  },
  ...{ Conv: f, ConvTranspose: f, Gemm: f, MatMul: f, FusedMatMul: f },
  ...{ Gelu: f, LayerNormalization: f, QuickGelu: f, Softmax: f },
};

const names = new Map([
  [TensorProto_DataType.FLOAT, 'float'],
  [TensorProto_DataType.INT32, 'int32'],
  [TensorProto_DataType.INT64, 'int64'],
  [TensorProto_DataType.BOOL, 'bool'],
]);
const predicates = ['And', 'Or', 'Not', 'Equal', 'Less', 'LessOrEqual', 'IsNaN'];

/** Each operator of a model with the type of its data; a choice's is that of what it chooses from. */
function operatorsOf(model: Uint8Array): [op: string, type: string][] {
  const { graph } = fromBinary(ModelProtoSchema, model);
  const types = new Map<string, string>();
  for (const { name, type } of graph!.input) {
    if (type?.value.case === 'tensorType') types.set(name, names.get(type.value.value.elemType)!);
  }
  for (const { name, dataType } of graph!.initializer) types.set(name, names.get(dataType)!);
  const typeOf = ({ opType, input }: NodeProto) => types.get(input[opType === 'Where' ? 1 : 0])!;
  return graph!.node.map((node) => {
    const type = typeOf(node);
    const to = node.attribute.find(({ name }) => name === 'to')?.i;
    const result = predicates.includes(node.opType)
      ? 'bool'
      : node.opType === 'Cast'
        ? names.get(Number(to))!
        : type;
    types.set(node.output[0], result);
    return [node.opType, type];
  });
}

test('every operator of every case of the conformance kit is a kernel of the CUDA provider', () => {
  const missing = new Set<string>();
  let operators = 0;
  for (const entry of conformanceCases()) {
    if (entry.kind !== 'graph') continue;
    for (const [op, type] of operatorsOf(toOnnx(entry.build().graph, 'cuda'))) {
      operators += 1;
      if (!(kernels[op] ?? []).includes(type)) missing.add(`${op} of ${type}: ${entry.id}`);
    }
  }
  expect([...missing]).toEqual([]);
  expect(operators).toBeGreaterThan(5000);
});

test.each<[string, (x: mf.Tensor, y: mf.Tensor, condition: mf.Tensor) => mf.Tensor]>([
  ['select', (x, y, condition) => mf.where(condition, x, y)],
  ['pad', (x) => mf.pad(x, { low: [1, 0], high: [0, 2], interior: [2, 1] })],
])('%s, which CUDA has rows of its own for', async (_, f3) => {
  const module = await import('onnxruntime-node');
  const create = (model: Uint8Array) =>
    module.InferenceSession.create(model, { executionProviders: ['cpu'] });
  const stand = { ...module, InferenceSession: { create } };
  const backend = await ortBackend({ ort: stand, device: 'cuda', tf32: false });
  const shape = [2, 3];
  const condition = bools([1, 0, 1, 0, 0, 1], shape);
  for (const [x, y] of [
    [floats([1, -2, 3, 4, 5, 6], shape), floats([7, 8, 9, 10, 11, 12], shape)],
    [ints([1, -2, 2 ** 31 - 1, 4, 5, 6], shape), ints([7, 8, 9, 10, 11, 12], shape)],
    [bools([1, 1, 0, 0, 1, 1], shape), bools([0, 1, 1, 1, 1, 0], shape)],
  ]) {
    const inputs = { x, y, condition };
    const spec = mf.spec(shape, x.dtype as mf.DType);
    const { graph } = mf.trace(
      (t: Record<'x' | 'y' | 'condition', mf.Tensor>) => ({ result: f3(t.x, t.y, t.condition) }),
      { x: spec, y: spec, condition: mf.spec(shape, 'bool') },
    );
    const executable = await backend.compile(graph);
    const { result } = await executable.run(inputs);
    expectClose(await result.read(), interpret(graph, inputs).result, 'exact');
  }
  await backend.dispose();
});
