/** Optimizers against PyTorch's, step by step; data/make_optimizers.py says how the expected values were made. */
import { readFileSync } from 'node:fs';
import { ArgumentError, spec, trace, type Tensor } from '@meanflow/core';
import { prepare } from '@meanflow/core/backend';
import { adam, adamW, chain, clipByGlobalNorm, sgd, type GradientTransform } from '../src/index.js';
import { leafCount, parametersFrom, runTransform } from './support/run-transform.js';

type Values = Record<'bias', number[]> & Record<'weight', number[][]>;
interface TorchCase {
  name: string;
  options: { lr: number; betas?: [number, number]; eps?: number; weight_decay?: number; momentum?: number };
  maxNorm: number | null;
  float64: Values[];
  float32: Values[];
}
const torch = JSON.parse(readFileSync(new URL('./data/optimizers.json', import.meta.url), 'utf8')) as {
  start: Values;
  gradients: Values[];
  cases: TorchCase[];
};

function transformOf({ name, options, maxNorm }: TorchCase): GradientTransform {
  const {
    lr: learningRate,
    betas: [beta1, beta2] = [0.9, 0.999],
    eps: epsilon,
    weight_decay: weightDecay,
  } = options;
  const optimizer = name.startsWith('sgd')
    ? sgd({ learningRate, momentum: options.momentum })
    : adamW({ learningRate, beta1, beta2, epsilon, weightDecay });
  return maxNorm === null ? optimizer : chain(clipByGlobalNorm(maxNorm), optimizer);
}

/** The largest difference from the exact values, in units of float32 rounding (2⁻²⁴ of the value, or of 1). */
function roundings(found: readonly Values[], exact: readonly Values[]): number {
  const flat = (steps: readonly Values[]): number[] =>
    steps.flatMap(({ bias, weight }) => [...bias, ...weight.flat()]);
  const expected = flat(exact);
  return Math.max(
    ...flat(found).map(
      (value, i) => Math.abs(value - expected[i]) / (2 ** -24 * Math.max(1, Math.abs(expected[i]))),
    ),
  );
}

describe('optimizers against PyTorch', () => {
  const start = parametersFrom(torch.start);
  const gradients = torch.gradients.map(parametersFrom);

  it.each(torch.cases.map((testCase) => [testCase.name, testCase] as const))('%s', async (_, testCase) => {
    const history = await runTransform(transformOf(testCase), start, gradients);
    const found = history.map(({ params }) => ({
      bias: [...params.bias.data],
      weight: [[...params.weight.data]],
    }));
    // Half a rounding of the parameters a step, where PyTorch's own float32 is up to a whole one away.
    expect(roundings(found, testCase.float64)).toBeLessThan(torch.gradients.length / 2);
    expect(roundings(testCase.float32, testCase.float64)).toBeLessThan(torch.gradients.length);
  });

  it('adam is adamW without decay, whose subtraction is not even in the graph', async () => {
    const plain = await runTransform(adam({ learningRate: 0.01 }), start, gradients);
    const zero = await runTransform(adamW({ learningRate: 0.01, weightDecay: 0 }), start, gradients);
    const decayed = await runTransform(adamW({ learningRate: 0.01 }), start, gradients);
    expect(plain).toEqual(zero);
    expect(plain).not.toEqual(decayed);
    expect(adam({ learningRate: 0.01 }).scalars(0)).not.toHaveProperty('decay');
  });

  it('moves nothing at a rate of 0, but remembers the gradient', async () => {
    const warm = (step: number): number => (step === 0 ? 0 : 0.1);
    const history = await runTransform(
      adamW({ learningRate: warm, weightDecay: 0.1 }),
      start,
      gradients.slice(0, 2),
    );
    expect(history[0].params).toEqual(start);
    expect(history[1].params).not.toEqual(start);
    const forgetful = await runTransform(
      adamW({ learningRate: 0.1, weightDecay: 0.1 }),
      start,
      gradients.slice(1, 2),
    );
    expect(history[1].params).not.toEqual(forgetful[0].params);
  });
});

describe('clipByGlobalNorm', () => {
  const start = parametersFrom({ a: [0, 0], b: [0] });
  const gradient = parametersFrom({ a: [3, 0], b: [4] });

  it('scales by max/norm above the norm, and reports the norm before', async () => {
    const clipped = chain(clipByGlobalNorm(1), sgd({ learningRate: 1 }));
    const [{ params, metrics }] = await runTransform(clipped, start, [gradient]);
    expect([...params.a.data, ...params.b.data].map((value) => Number(value.toFixed(6)))).toEqual([
      -0.6, 0, -0.8,
    ]);
    expect(metrics).toEqual({ gradientNorm: 5 });
  });

  it('leaves a smaller gradient exactly as it is, and a zero gradient finite', async () => {
    const clipped = chain(clipByGlobalNorm(5), sgd({ learningRate: 1 }));
    const [{ params }] = await runTransform(clipped, start, [gradient]);
    expect([...params.a.data, ...params.b.data]).toEqual([-3, 0, -4]);
    const [{ params: still }] = await runTransform(clipped, start, [start]);
    expect([...still.a.data, ...still.b.data].every((value) => value === 0)).toBe(true);
  });
});

describe('chain', () => {
  it('keeps one state per transform and finds the learning rate', () => {
    const start = parametersFrom({ a: [0, 0], b: [0] });
    const chained = chain(clipByGlobalNorm(1), adam({ learningRate: (step) => step / 10 }));
    expect(leafCount(chained.init(start))).toBe(4);
    expect(chained.learningRate?.(3)).toBe(0.3);
    expect(chain(clipByGlobalNorm(1)).learningRate).toBeUndefined();
    expect(leafCount(sgd({ learningRate: 1 }).init(start))).toBe(0);
  });
});

describe('the cost of Adam', () => {
  it('is ten elementwise operations over a parameter, with the learning rate free of charge', () => {
    const optimizer = adam({ learningRate: 1e-3 });
    const { graph } = trace(
      ({ p, g, m, v, stepSize, epsilon }: Record<'p' | 'g' | 'm' | 'v' | 'stepSize' | 'epsilon', Tensor>) => {
        const context = { params: p, scalars: { stepSize, epsilon } };
        const { updates, state } = optimizer.update(g, { mean: m, variance: v }, context);
        return { p: p.add(updates), state: state as { mean: Tensor; variance: Tensor } };
      },
      { p: spec([5]), g: spec([5]), m: spec([5]), v: spec([5]), stepSize: spec([]), epsilon: spec([]) },
    );
    expect(
      prepare(graph)
        .instructions.filter(({ op }) => op !== 'constant')
        .map(({ op }) => op)
        .sort(),
    ).toEqual(['add', 'add', 'add', 'add', 'div', 'mul', 'mul', 'mul', 'mul', 'sqrt']);
  });
});

describe('wrong constants', () => {
  it.each([
    ['beta1', () => adam({ learningRate: 1, beta1: 1 }), 'beta1 lies in [0, 1), got 1'],
    ['beta2', () => adam({ learningRate: 1, beta2: -0.1 }), 'beta2 lies in [0, 1), got -0.1'],
    ['epsilon', () => adam({ learningRate: 1, epsilon: -1 }), 'epsilon is a finite number from 0, got -1'],
    [
      'decay',
      () => adamW({ learningRate: 1, weightDecay: NaN }),
      'weightDecay is a finite number from 0, got NaN',
    ],
    ['rate', () => adam({ learningRate: Infinity }), 'value is a finite number, got Infinity'],
    ['momentum', () => sgd({ learningRate: 1, momentum: 1 }), 'momentum lies in [0, 1), got 1'],
    ['norm', () => clipByGlobalNorm(0), 'the largest norm is positive, got 0'],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(message);
  });
});
