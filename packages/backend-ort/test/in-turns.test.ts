/** Encoding a model and copying results give way to other work, and come to the same as where they do not. */
import { fromBinary } from '@bufbuild/protobuf';
import * as mf from '@meanflow/core';
import { ModelProtoSchema } from 'onnx-buf';
import { CopyQueue } from '../src/copy-queue.js';
import { lowerGraph } from '../src/lower-graph.js';
import { targets } from '../src/targets.js';

describe('an encoded model', () => {
  const builderOf = (layers: number) => {
    const f = (x: mf.Tensor) => {
      let y = x;
      for (let i = 0; i < layers; i++) y = mf.tanh(y.mul(i + 2)).add(x);
      return { y };
    };
    return lowerGraph(mf.trace(f, mf.spec([4])).graph, targets.cpu);
  };

  test('has every node and initializer once, in order', () => {
    const { graph } = fromBinary(ModelProtoSchema, builderOf(100).encode());
    const nodes = graph!.node.map(({ name }) => name);
    expect(nodes).toHaveLength(300);
    expect(new Set(nodes).size).toBe(300);
    const made = new Set(graph!.initializer.map(({ name }) => name));
    // The numbers from 2 to 101.
    expect(made.size).toBe(graph!.initializer.length);
    expect(made.size).toBeGreaterThanOrEqual(100);
    made.add(graph!.input[0]!.name);
    for (const { input, output } of graph!.node) {
      for (const name of input) expect(made).toContain(name);
      for (const name of output) made.add(name);
    }
  });

  test('is made in steps in proportion to its nodes, which come to the same bytes', () => {
    const stepsOf = (layers: number): number => {
      const builder = builderOf(layers);
      const turns = builder.encoding();
      for (let steps = 0; ; steps++) {
        const { done, value } = turns.next();
        if (done !== true) continue;
        expect(value).toEqual(builder.encode());
        expect(Buffer.concat(builder.encodeInPieces())).toEqual(Buffer.from(builder.encode()));
        return steps;
      }
    };
    const [short, long] = [stepsOf(100), stepsOf(400)];
    expect(long).toBeGreaterThanOrEqual(1200 / 64);
    expect(long / short).toBeGreaterThan(2.5);
  });
});

describe('copies that are asked for at once', () => {
  const MiB = 2 ** 20;

  test('are made in order, 8 MiB between two turns of other work', async () => {
    const order: string[] = [];
    const queue = new CopyQueue(async () => void order.push('|'));
    const copies = Array.from({ length: 10 }, (_, i) => queue.copy(3 * MiB, () => order.push(String(i))));
    expect(order).toEqual([]);
    await Promise.all(copies);
    expect(order.join('')).toBe('01|23|45|67|89');
    await queue.copy(20 * MiB, () => order.push('large'));
    expect(order.slice(-2)).toEqual(['|', 'large']);
  });

  test('go on where one fails', async () => {
    const queue = new CopyQueue();
    const failing = queue.copy(1, () => {
      throw new Error('gone');
    });
    const next = queue.copy(1, () => 'copied');
    await expect(failing).rejects.toThrow('gone');
    expect(await next).toBe('copied');
  });
});
