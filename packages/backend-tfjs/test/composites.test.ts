import * as mf from '@meanflow/core';
import { expectClose, floats, normal, onEveryDevice } from './support.js';

type Unary = (x: mf.Tensor) => mf.Tensor;
const UNARY: [string, Unary][] = [
  ['silu', (x) => mf.silu(x)],
  ['gelu', (x) => mf.gelu(x)],
  ['geluTanh', (x) => mf.gelu(x, { approximate: 'tanh' })],
  ['softmax', (x) => mf.softmax(x)],
  ['layerNorm', (x) => mf.layerNorm(x)],
  ['rmsNorm', (x) => mf.rmsNorm(x, { epsilon: 1e-3 })],
  ['softplus', (x) => mf.softplus(x)],
];

onEveryDevice(({ check, runGraph }) => {
  describe.each(UNARY)('%s', (_, f) => {
    test('is its decomposition, whole and inside of a derivative', async () => {
      for (const shape of [[7], [3, 5], [2, 3, 8], [1, 1]]) await check(f, [normal(shape)], 'sum');
      const weights = normal([3, 5], 'weights');
      await check(
        (x) => mf.grad((t: mf.Tensor) => mf.sum(f(t).mul(mf.constant(weights))))(x),
        [normal([3, 5])],
        'sum',
      );
    });

    test('of large numbers, and of none', async () => {
      await check(f, [floats([-100, -20, -5, 0, 5, 20, 100, 1000], [2, 4])], 'sum', 10);
      await check(f, [normal([0, 4])], 'exact');
    });
  });

  test('normalisations scale and shift', async () => {
    const inputs = [normal([4, 6]), normal([6], 'scale'), normal([6], 'bias')];
    await check((x, scale, bias) => mf.layerNorm(x, { scale, bias }), inputs, 'sum');
    await check((x, scale) => mf.rmsNorm(x, { scale }), inputs.slice(0, 2), 'sum');
  });

  test('attention, whole and inside of a derivative', async () => {
    const inputs = [normal([2, 3, 4, 5]), normal([2, 3, 6, 5], 'k'), normal([2, 3, 6, 5], 'v')];
    await check((q, k, v) => mf.attention(q, k, v), inputs, 'sum');
    await check((q, k, v) => mf.attention(q, k, v, { scale: 1 }), inputs, 'sum');
    await check(
      (q, k, v) => mf.grad((t: mf.Tensor) => mf.sum(mf.square(mf.attention(t, k, v))))(q),
      inputs,
      'sum',
    );
  });

  test('Adam, whose results are three', async () => {
    const { graph } = mf.trace(
      (input: Record<'gradient' | 'mean' | 'variance' | 'stepSize' | 'epsilon', mf.Tensor>) =>
        mf.adamUpdate(input, { beta1: 0.9, beta2: 0.95 }),
      {
        gradient: mf.spec([3]),
        mean: mf.spec([3]),
        variance: mf.spec([3]),
        stepSize: mf.spec([]),
        epsilon: mf.spec([]),
      },
    );
    const inputs = {
      gradient: floats([0.1, -2, 0]),
      mean: floats([0.5, -0.25, 0]),
      variance: floats([0.25, 4, 0]),
      stepSize: floats([-0.01], []),
      epsilon: floats([1e-8], []),
    };
    const got = await runGraph(graph, inputs);
    const expected = mf.interpret(graph, inputs);
    for (const name of Object.keys(expected)) expectClose(got[name], expected[name], 'sum');
  });
});
