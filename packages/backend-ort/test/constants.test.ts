/** Constants become initializers of the session, in both bindings. */
import { fromBinary } from '@bufbuild/protobuf';
import * as mf from '@meanflow/core';
import { ModelProtoSchema } from 'onnx-buf';
import { ortBackend, type OrtBinding } from '../src/index.js';
import { constantsOf, withConstants } from '../src/constants.js';
import { lowerGraph } from '../src/lower-graph.js';
import { withOwnKernels } from '../src/targets.js';
import { expectClose, normal, ort } from './support.js';

const { graph } = mf.trace(
  ({ x, w, b }: Record<'x' | 'w' | 'b' | 'unread', mf.Tensor>) => ({
    y: mf.tanh(mf.matmul(x, w)).add(b.reshape([1, 48])),
    same: w,
  }),
  { x: mf.spec([4, 64]), w: mf.spec([64, 48]), b: mf.spec([48]), unread: mf.spec([3]) },
);
const x = normal([4, 64]);
const constants = { w: normal([64, 48], 'w'), b: normal([48], 'b'), unread: normal([3], 'u') };

test.each<OrtBinding>(['native', 'public'])('by the %s binding', async (binding) => {
  const backend = await ortBackend({ ort, binding, threads: 1 });
  const plain = await backend.compile(graph);
  const settled = await backend.compile(graph, { constants });
  const bytes = (64 * 48 + 48 + 3) * 4;
  expect(backend.memory()).toMatchObject({ arrays: 0, bytes: 0, constantBytes: bytes });
  const expected = await plain.run({ x, ...constants });
  for (let i = 0; i < 3; i++) {
    const found = await settled.run({ x });
    expectClose(await found.y.read(), await expected.y.read(), 'sum', 64);
    expect((await found.same.read()).data).toEqual(constants.w.data);
  }
  expect(settled.counters.hostToDeviceBytes).toBe(bytes + 3 * x.data.byteLength);
  await settled.dispose();
  expect(backend.memory()).toMatchObject({ constantBytes: 0 });
  await backend.dispose();
});

describe('products with our own kernels', () => {
  const rows = 1024;
  const network = ({ x, w, v }: Record<'x' | 'w' | 'v', mf.Tensor>) =>
    mf.add(mf.matmul(mf.matmul(x, w), mf.transpose(v, [1, 0])), 1);
  const arrays = { w: normal([64, 48], 'w'), v: normal([32, 48], 'v') };

  const opsOf = (names: readonly string[], count = rows): readonly string[] => {
    const given = { ...arrays, x: normal([count, 64]) };
    const { graph: products } = mf.trace(network, given);
    const constants = constantsOf(
      products,
      Object.fromEntries(Object.entries(given).filter(([name]) => names.includes(name))),
    );
    const model = lowerGraph(products, withOwnKernels(1), withConstants(constants, 'given')).encode();
    return fromBinary(ModelProtoSchema, model).graph!.node.map(({ opType }) => opType);
  };
  const count = (ops: readonly string[], op: string) => ops.filter((other) => other === op).length;
  const counts = (ops: readonly string[]) => [count(ops, 'Product'), count(ops, 'Gemm')];

  test('are by strides, but those of few rows by a constant matrix, which ONNX Runtime lays out once', () => {
    expect(counts(opsOf([]))).toEqual([2, 0]);
    expect(counts(opsOf(['w']))).toEqual([1, 1]);
    expect(counts(opsOf(['w', 'v']))).toEqual([0, 2]);
    expect(counts(opsOf(['x']))).toEqual([2, 0]);
    // Of more rows the product by strides is faster.
    expect(counts(opsOf(['w', 'v'], rows + 1))).toEqual([2, 0]);
  });
});
