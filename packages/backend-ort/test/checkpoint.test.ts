import { fromBinary } from '@bufbuild/protobuf';
import * as mf from '@meanflow/core';
import { ModelProtoSchema } from 'onnx-buf';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ortBackend } from '../src/index.js';
import { bools, check, expectClose, floats, ints, normal, ort } from './support.js';

const LAYERS = 3;
type Inputs = Record<'x' | 'w', mf.Tensor>;

/** Gradient of a small network, whose layers are checkpointed or not. */
function gradient(isCheckpointed: boolean): mf.Graph {
  // It begins and ends with reshapes, which ONNX Runtime would like to join with their neighbours.
  const layer = (h: mf.Tensor, w: mf.Tensor): mf.Tensor =>
    mf.sin(mf.matmul(mf.sin(mf.matmul(h.reshape([4, 8, 16]), w)), w)).reshape([32, 16]);
  const apply = isCheckpointed ? mf.checkpoint(layer) : layer;
  const loss = (x: mf.Tensor, w: mf.Tensor) => {
    let h = x;
    for (let i = 0; i < LAYERS; i++) h = apply(h, w);
    return mf.sum(mf.square(h));
  };
  const { graph } = mf.trace(({ x, w }: Inputs) => mf.grad((t: mf.Tensor) => loss(x, t))(w), {
    x: mf.spec([32, 16]),
    w: mf.spec([16, 16]),
  });
  return graph;
}

/** Runs a graph, and lists the operators of the model as ONNX Runtime rewrote it. */
async function optimised(graph: mf.Graph): Promise<{ result: mf.HostArray; operators: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'meanflow-'));
  const optimizedModelFilePath = join(folder, 'optimised.onnx');
  const backend = await ortBackend({
    ort,
    threads: 1,
    // Of ONNX's operators alone, which are what the runtime rewrites.
    kernels: false,
    sessionOptions: { graphOptimizationLevel: 'all', optimizedModelFilePath },
  });
  try {
    const executable = await backend.compile(graph);
    const { output } = await executable.run({ x: normal([32, 16]), w: normal([16, 16], 'w') });
    const model = fromBinary(ModelProtoSchema, await readFile(optimizedModelFilePath));
    return { result: await output.read(), operators: model.graph!.node.map(({ opType }) => opType) };
  } finally {
    await backend.dispose();
    await rm(folder, { recursive: true });
  }
}

test('a checkpoint still recomputes after ONNX Runtime has optimised the model', async () => {
  const plain = await optimised(gradient(false));
  const recomputing = await optimised(gradient(true));
  const count = (list: string[], operator: string) => list.filter((op) => op === operator).length;
  // Two sines a layer and their derivatives. Of a layer computed again, the last sine is not needed.
  expect([count(plain.operators, 'Sin'), count(plain.operators, 'Cos')]).toEqual([2 * LAYERS, 2 * LAYERS]);
  expect([count(recomputing.operators, 'Sin'), count(recomputing.operators, 'Cos')]).toEqual([
    3 * LAYERS,
    2 * LAYERS,
  ]);
  expectClose(recomputing.result, plain.result, 'sum', 100);
});

describe('a barrier hands its operand on', () => {
  const held: (x: mf.Tensor, after: mf.Tensor) => mf.Tensor = (x, after) => {
    // What checkpoint writes, with any operand to wait for.
    const f = mf.checkpoint((t: mf.Tensor) => mf.sum(mf.exp(t)));
    return mf.grad((t: mf.Tensor) => f(t).mul(mf.sum(mf.cast(after, 'float32'))))(x);
  };
  test.each<[string, mf.Shape]>([
    ['a scalar', []],
    ['a vector', [5]],
    ['an array', [2, 3, 4]],
  ])('%s', async (_, shape) => {
    await check(held, [normal(shape), floats([2], [])], 'function');
    await check(held, [normal(shape), ints([1, 2])], 'function', 10);
    await check(held, [normal(shape), bools([1, 1], [1, 2])], 'function', 10);
  });

  test('also when what it waits for is NaN', async () => {
    const { graph } = mf.trace(({ x, after }: Record<'x' | 'after', mf.Tensor>) => held(x, after), {
      x: mf.spec([2]),
      after: mf.spec([1]),
    });
    const backend = await ortBackend({ ort, threads: 1 });
    const executable = await backend.compile(graph);
    const { output } = await executable.run({ x: floats([0, 1]), after: floats([NaN]) });
    expect((await output.read()).data).toEqual(Float32Array.of(NaN, NaN));
    await backend.dispose();
  });
});
