/** What runs together: how many dispatches programs cost, and which ops each makes. No device is needed. */
import * as mf from '@meanflow/core';
import { buildProgram } from '../src/program/build.js';
import type { FusionOptions } from '../src/options.js';
import { fuse, opsOf } from '../src/webgpu/fusion.js';

const OPTIONS: FusionOptions = {
  fuse: true,
  maxBuffers: 8,
  directProduct: 0,
  products: 'tiles',
  threadsPerRow: 256,
};

function units<In extends mf.SpecLeaf | Record<string, mf.SpecLeaf>>(
  f: (input: mf.MapLeaves<In, mf.SpecLeaf, mf.Tensor>) => mf.Tree<mf.Tensor>,
  input: In,
  options: Partial<FusionOptions> = {},
): string[] {
  const { graph } = mf.trace(f as (input: unknown) => mf.Tree<mf.Tensor>, input as mf.SpecLeaf);
  return fuse(buildProgram(graph), { ...OPTIONS, ...options }).map(opsOf);
}

const vector = mf.spec([64]);
const rows = mf.spec([8, 16]);
const two = { x: rows, y: rows };

describe('elementwise ops', () => {
  test('run as one', () => {
    expect(units((x) => mf.tanh(x.mul(2).add(1)).sub(x), vector)).toEqual(['mul add tanh sub']);
  });

  test('with what broadcasts into them', () => {
    const found = units(({ x, b }) => mf.silu(x.add(b).mul(mf.iota([16], 0, 'float32'))), {
      x: rows,
      b: mf.spec([16]),
    });
    expect(found).toHaveLength(1);
  });

  test('with several results', () => {
    expect(units(({ x, y }) => ({ a: x.add(y), b: x.add(y).mul(x) }), two)).toHaveLength(1);
  });

  test('through movements of data', () => {
    const found = units(
      ({ x, y }) =>
        mf
          .concat([mf.transpose(x.mul(2)), mf.reverse(mf.slice(y.reshape([16, 8]), [1, 0], [9, 8]), [0])], 0)
          .add(1),
      two,
    );
    expect(found).toHaveLength(1);
  });

  test('one by one where that is asked for', () => {
    expect(units((x) => mf.tanh(x.mul(2).add(1)), vector, { fuse: false })).toEqual(['mul', 'add', 'tanh']);
  });
});

describe('reductions', () => {
  test.each<[string, (x: mf.Tensor) => mf.Tensor]>([
    ['softmax', (x) => mf.softmax(x)],
    ['layerNorm', (x) => mf.layerNorm(x)],
    ['rmsNorm', (x) => mf.rmsNorm(x)],
    ['log-sum-exp', (x) => mf.log(mf.sum(mf.exp(x.sub(mf.max(x, -1, { keepDims: true }))), -1))],
    ['the sum of squares over the first axis', (x) => mf.sqrt(mf.sum(mf.square(x), 0))],
    ['argMax of a product', (x) => mf.argMax(x.mul(x), 1)],
  ])('%s is one kernel', (_, f) => {
    expect(units(f, rows)).toHaveLength(1);
  });

  test.each<[string, (x: mf.Tensor) => mf.Tensor]>([
    ['softmax', (x) => mf.softmax(x)],
    ['layerNorm', (x) => mf.layerNorm(x)],
    ['rmsNorm', (x) => mf.rmsNorm(x)],
  ])('%s with its derivative along a direction is one kernel', (_, f) => {
    const both = ({ x, y }: Record<'x' | 'y', mf.Tensor>) => {
      const [value, tangent] = mf.jvp<[mf.Tensor], mf.Tensor>(f, [x], [y]);
      return { value, tangent };
    };
    expect(units(both, two)).toHaveLength(1);
  });

  test('over other axes do not share a kernel', () => {
    expect(units((x) => mf.sum(x.sub(mf.mean(x, 0)), 1), rows)).toHaveLength(2);
  });

  test('of many elements into few are two steps', () => {
    expect(units((x) => mf.mean(mf.square(x)), mf.spec([256, 256]))).toEqual([
      'mul reduceSum',
      'reduceSum mul',
    ]);
  });
});

describe('matrix products', () => {
  const layer = ({ x, w, b }: Record<'x' | 'w' | 'b', mf.Tensor>) => mf.silu(mf.matmul(mf.tanh(x), w).add(b));
  const input = { x: rows, w: mf.spec([16, 4]), b: mf.spec([4]) };

  test('are tfjs’s where that is asked for', () => {
    expect(units(layer, input, { products: 'tfjs' })).toEqual(['tanh', 'matMul', 'add sigmoid mul']);
  });

  test.each<Partial<FusionOptions>>([
    { directProduct: 1e6 },
    { products: 'tiles' },
    { products: 'registers' },
  ])('join what follows, and never what they would compute again and again (%o)', (options) => {
    expect(units(layer, input, options)).toEqual(['tanh', 'matMul add sigmoid mul']);
  });

  test('do not share a kernel with reductions', () => {
    const f = ({ x, w }: Record<'x' | 'w', mf.Tensor>) => mf.softmax(mf.matmul(x, w));
    const softmax = 'reduceMax sub exp reduceSum div';
    expect(units(f, { x: rows, w: mf.spec([16, 4]) })).toEqual(['matMul', softmax]);
  });

  test('read heads of attention where they are, scaled on the way', () => {
    const f = (qkv: mf.Tensor) => {
      const [q, k, v] = [0, 1, 2].map((part) =>
        mf.transpose(
          mf.slice(qkv, [0, 0, 8 * part], [2, 6, 8 * (part + 1)]).reshape([2, 6, 2, 4]),
          [0, 2, 1, 3],
        ),
      ) as [mf.Tensor, mf.Tensor, mf.Tensor];
      return mf.matmul(mf.softmax(mf.matmul(q.mul(0.5), mf.transpose(k, [0, 1, 3, 2]))), v);
    };
    expect(units(f, mf.spec([2, 6, 24]))).toHaveLength(3);
  });

  test('read transposed operands where they are', () => {
    const f = ({ x, w }: Record<'x' | 'w', mf.Tensor>) => mf.matmul(mf.transpose(x), mf.transpose(w));
    expect(units(f, { x: rows, w: mf.spec([4, 8]) })).toEqual(['matMul']);
  });
});

test('Adam with a moving average is one kernel per parameter, where a device binds enough buffers', () => {
  const leaf = mf.spec([32, 8]);
  const scalar = mf.spec([]);
  const step = (input: Record<'p' | 'g' | 'm' | 'v' | 'e' | 'stepSize' | 'epsilon', mf.Tensor>) => {
    const { p, g, m, v, e, stepSize, epsilon } = input;
    const adam = mf.adamUpdate(
      { gradient: g, mean: m, variance: v, stepSize, epsilon },
      { beta1: 0.9, beta2: 0.95 },
    );
    const next = p.add(adam.update);
    return { p: next, m: adam.mean, v: adam.variance, e: e.mul(0.99).add(next.mul(0.01)) };
  };
  const inputs = { p: leaf, g: leaf, m: leaf, v: leaf, e: leaf, stepSize: scalar, epsilon: scalar };
  expect(units(step, inputs, { maxBuffers: 11 })).toHaveLength(1);
  expect(units(step, inputs, { maxBuffers: 8 })).toHaveLength(2);
});

describe('nodes that do not read each other', () => {
  test('share a pass over an operand', () => {
    expect(units(({ x, y }) => ({ a: mf.sum(x.mul(y), 0), b: mf.sum(x, 0) }), two)).toHaveLength(1);
    expect(units(({ x, y }) => ({ a: mf.tanh(x), b: x.add(y) }), two)).toHaveLength(1);
  });

  test('and of which one waits for the other do not', () => {
    const f = ({ x, w }: Record<'x' | 'w', mf.Tensor>) => ({
      a: mf.tanh(x),
      b: mf.matmul(mf.tanh(x), w).add(x),
    });
    expect(units(f, { x: rows, w: mf.spec([16, 16]) })).toEqual(['tanh', 'matMul add']);
  });
});

test('a kernel that is short of buffers takes what its operands are made of', () => {
  const names = ['p', 'g', 'm', 'v', 'q'] as const;
  const step = ({ p, g, m, v, q }: Record<(typeof names)[number], mf.Tensor>) => {
    const [mean, variance] = [m.mul(0.9).add(g.mul(0.1)), v.mul(0.9).add(g.mul(g).mul(0.1))];
    const next = p.sub(mean.div(mf.sqrt(variance)));
    return { next, mean, variance, average: q.mul(0.9).add(next.mul(0.1)) };
  };
  const inputs = Object.fromEntries(names.map((name) => [name, vector])) as Record<
    (typeof names)[number],
    mf.SpecLeaf
  >;
  expect(units(step, inputs, { maxBuffers: 9 })).toHaveLength(1);
});

test('a concatenation of more operands than a kernel binds is made in steps', () => {
  const many = Object.fromEntries(Array.from({ length: 20 }, (_, k) => [`x${k}`, vector]));
  const found = units((input) => mf.concat(Object.values(input as Record<string, mf.Tensor>)), many);
  expect(found).toEqual(['concat', 'concat', 'concat', 'concat']);
});

test('no kernel binds more buffers than the device has', () => {
  const many = Object.fromEntries(Array.from({ length: 20 }, (_, k) => [`x${k}`, vector]));
  const { graph } = mf.trace((input) => Object.values(input).reduce((a, b) => a.add(b)), many);
  for (const maxBuffers of [4, 8, 16]) {
    for (const unit of fuse(buildProgram(graph), { ...OPTIONS, maxBuffers })) {
      if (unit.kind === 'kernel')
        expect(unit.kernel.reads.length + unit.group.results.length).toBeLessThanOrEqual(maxBuffers);
    }
  }
});

test('a checkpoint computes again, after what it waits for', () => {
  const block = (x: mf.Tensor, w: mf.Tensor) => mf.tanh(mf.matmul(mf.tanh(mf.matmul(x, w)), w));
  const loss =
    (f: typeof block) =>
    ({ x, w }: Record<'x' | 'w', mf.Tensor>) =>
      mf.grad((t: mf.Tensor) => mf.sum(mf.square(f(f(x, t), t))))(w);
  const input = { x: mf.spec([4, 8]), w: mf.spec([8, 8]) };
  const products = (list: string[]) => list.filter((ops) => ops === 'matMul').length;
  const plain = units(loss(block), input);
  const checkpointed = units(loss(mf.checkpoint(block)), input);
  expect(products(checkpointed)).toBeGreaterThan(products(plain));
  expect(checkpointed).toContain('optimizationBarrier');
});
