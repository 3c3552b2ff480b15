/** Composites as operators of ONNX; that they compute what they should is the conformance kit's to say. */
import * as mf from '@meanflow/core';
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { exportOnnx, toOnnx } from '../src/index.js';

type Unary = (x: mf.Tensor) => mf.Tensor;
const UNARY: [string, Unary, string][] = [
  ['silu', (x) => mf.silu(x), 'QuickGelu'],
  ['gelu', (x) => mf.gelu(x), 'Gelu'],
  ['geluTanh', (x) => mf.gelu(x, { approximate: 'tanh' }), 'Gelu'],
  ['softmax', (x) => mf.softmax(x), 'Softmax'],
  ['layerNorm', (x) => mf.layerNorm(x), 'LayerNormalization'],
  ['rmsNorm', (x) => mf.rmsNorm(x, { epsilon: 1e-3 }), 'RMSNormalization'],
  ['softplus', (x) => mf.softplus(x), 'Exp'],
];

const operators = (graph: mf.Graph) =>
  fromBinary(ModelProtoSchema, toOnnx(graph)).graph!.node.map(({ opType }) => opType);

describe.each(UNARY)('%s', (_, f, operator) => {
  test('is written as its operator', () => {
    const { graph } = mf.trace(f, mf.spec([3, 4]));
    expect(operators(graph)).toContain(operator);
  });
});

describe.each(UNARY.filter(([name]) => name !== 'softplus'))(
  "a user's own composite called %s",
  (name, _, operator) => {
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
  },
);

test('an activation whose inside the derivative needs anyway is not computed twice', () => {
  const { graph } = mf.trace(
    (x: mf.Tensor) => {
      const [value, tangent] = mf.jvp<[mf.Tensor], mf.Tensor>((t) => mf.silu(t), [x], [x]);
      return { value, tangent };
    },
    mf.spec([3, 4]),
  );
  const found = operators(graph);
  expect(found).not.toContain('QuickGelu');
  expect(found.filter((op) => op === 'Sigmoid')).toHaveLength(1);
});
