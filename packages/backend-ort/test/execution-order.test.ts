import { fromBinary } from '@bufbuild/protobuf';
import * as mf from '@meanflow/core';
import { ModelProtoSchema } from 'onnx-buf';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ortBackend, toOnnx } from '../src/index.js';
import { orderForExecution } from '../src/onnx/execution-order.js';
import type { Node } from '../src/onnx/model.js';
import { normal, ort } from './support.js';

const node = (result: string, ...inputs: string[]): Node => ({
  op: 'Sum',
  domain: '',
  attributes: {},
  results: [result],
  inputs,
});
const names = (nodes: readonly Node[]) => nodes.map(({ results }) => results).join(' ');

describe('the order in the file', () => {
  // Two layers: h1, h2; cotangents c2, c1; weight gradients w2, w1 and what becomes of them.
  const program = [
    node('h1', 'x'),
    node('h2', 'h1'),
    node('c2', 'h2'),
    node('c1', 'c2'),
    node('w1', 'x', 'c1'),
    node('w2', 'h1', 'c2'),
    node('p1', 'w1'),
    node('p2', 'w2'),
  ];

  test('puts last what needs least, for ONNX Runtime goes backward', () => {
    expect(names(orderForExecution(program))).toBe('h1 h2 c2 c1 w1 p1 w2 p2');
  });

  test('keeps inputs before what reads them, and every node once', () => {
    const ordered = orderForExecution(program);
    expect(ordered).toHaveLength(program.length);
    ordered.forEach(({ inputs }, i) => {
      const before = ordered.slice(0, i).flatMap(({ results }) => results);
      for (const input of inputs.filter((name) => name !== 'x')) expect(before).toContain(input);
    });
  });

  test('of a chain that is deeper than the stack', () => {
    const chain = Array.from({ length: 50_000 }, (_, i) => node(`v${i + 1}`, `v${i}`));
    expect(names(orderForExecution(chain))).toBe(names(chain));
  });
});

/** The names of a model's nodes in the order in which ONNX Runtime ran them, from its profile. */
async function executed(graph: mf.Graph): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'meanflow-'));
  const backend = await ortBackend({
    ort,
    threads: 1,
    // A node for each instruction, and without rewriting, so that the nodes are those of our model.
    kernels: false,
    sessionOptions: {
      graphOptimizationLevel: 'disabled',
      enableProfiling: true,
      profileFilePrefix: join(folder, graph.name),
    },
  });
  try {
    const executable = await backend.compile(graph);
    await executable.run({ x: normal([16, 8]), w: normal([8, 8], 'w') });
    await executable.dispose();
    const files = (await readdir(folder)).map((file) => readFile(join(folder, file), 'utf8'));
    const events = (await Promise.all(files)).flatMap(
      (text) => JSON.parse(text) as { cat: string; name: string }[],
    );
    const suffix = '_kernel_time';
    return events.filter(({ cat, name }) => cat === 'Node' && name.endsWith(suffix)).map(({ name }) => name.slice(0, -suffix.length)); // prettier-ignore
  } finally {
    await backend.dispose();
    await rm(folder, { recursive: true });
  }
}

/** Most values of the network's width that are alive at once, when the model's nodes run in the given order. */
function peakActivations(graph: mf.Graph, order: readonly string[]): number {
  const nodes = new Map(fromBinary(ModelProtoSchema, toOnnx(graph)).graph!.node.map((n) => [n.name, n]));
  const lastUse = new Map<string, number>();
  order.forEach((name, i) => nodes.get(name)?.input.forEach((input) => lastUse.set(input, i)));
  const alive = new Set<string>();
  let peak = 0;
  order.forEach((name, i) => {
    const found = nodes.get(name);
    if (found === undefined) return;
    if (found.opType === 'Sin' || found.opType === 'Gemm') alive.add(found.output[0]);
    peak = Math.max(peak, alive.size);
    for (const input of found.input) if (lastUse.get(input) === i) alive.delete(input);
  });
  return peak;
}

test('ONNX Runtime lets activations go as the backward pass passes them', async () => {
  const LAYERS = 8;
  const gradient = (isCheckpointed: boolean) => {
    const layer = (h: mf.Tensor, w: mf.Tensor): mf.Tensor => {
      for (let i = 0; i < 4; i++) h = mf.sin(mf.matmul(h, w));
      return h;
    };
    const apply = isCheckpointed ? mf.checkpoint(layer) : layer;
    return mf.trace(
      ({ x, w }: Record<'x' | 'w', mf.Tensor>) =>
        mf.grad((t: mf.Tensor) => {
          let h = x;
          for (let i = 0; i < LAYERS; i++) h = apply(h, t);
          return mf.sum(h);
        })(w),
      { x: mf.spec([16, 8]), w: mf.spec([8, 8]) },
      { name: isCheckpointed ? 'checkpointed' : 'plain' },
    ).graph;
  };
  const peaks = [];
  for (const isCheckpointed of [false, true]) {
    const graph = gradient(isCheckpointed);
    peaks.push(peakActivations(graph, await executed(graph)));
  }
  const [plain, checkpointed] = peaks;
  // Each of the 32 sines and its operand are kept, or one value of each layer and those of the layer at hand.
  expect(plain).toBeGreaterThanOrEqual(2 * 4 * LAYERS - 1);
  expect(checkpointed).toBeLessThan(LAYERS + 2 * 4);
});
