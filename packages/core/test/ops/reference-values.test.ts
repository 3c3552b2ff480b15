/** Values and gradients against JAX and SciPy (data/reference.py), in float64. */
import { readFileSync } from 'node:fs';
import {
  attention,
  conv,
  dotGeneral,
  erf,
  gelu,
  groupNorm,
  layerNorm,
  mul,
  rmsNorm,
  sigmoid,
  silu,
  softmax,
  softplus,
  sum,
  vjp,
  type ConvWindow,
  type DotDimensions,
  type Tensor,
} from '../../src/index.js';
import { evaluate, expectClose, floats, wave, type TensorFunction } from '../support/numeric.js';
import type { HostArray } from '../../src/index.js';

interface Expected {
  readonly shape: number[];
  readonly value: number[];
  readonly gradients: number[][];
}
type ConvCase = Expected & Partial<ConvWindow> & { readonly x: number[]; readonly kernel: number[] };
type DotCase = Expected & DotDimensions & { readonly lhs: number[]; readonly rhs: number[] };
interface Reference {
  readonly convolutions: ConvCase[];
  readonly contractions: DotCase[];
  readonly points: number[];
  readonly erf: number[];
  readonly sigmoid: number[];
  readonly activations: Record<'silu' | 'gelu' | 'geluTanh' | 'softplus', Expected>;
  readonly rows: Record<'softmax' | 'layerNorm' | 'rmsNorm', Expected>;
  readonly groupNorm: Expected;
  readonly attention: Expected;
}

const reference = JSON.parse(
  readFileSync(new URL('../data/reference.json', import.meta.url), 'utf8'),
) as Reference;

function expectReference(f: TensorFunction, inputs: readonly HostArray[], expected: Expected): void {
  const value = evaluate(f, inputs);
  expect(value.shape).toEqual(expected.shape);
  expectClose(value.data, expected.value, 1e-13);
  const weights = wave(expected.shape, 2);
  inputs.forEach((_, i) => {
    const gradient = evaluate(
      (...all) => vjp((...xs: Tensor[]) => f(...xs), all.slice(0, -1))[1](all[all.length - 1])[i],
      [...inputs, weights],
    );
    expectClose(gradient.data, expected.gradients[i], 1e-12);
  });
}

describe('conv', () => {
  it.each(reference.convolutions.map((given) => ({ title: describeConv(given), given })))(
    '$title',
    ({ given }) => {
      const inputs = [wave(given.x, 0.3), wave(given.kernel, 0.7)];
      expectReference((x, kernel) => conv(x, kernel, windowOf(given)), inputs, given);
    },
  );
});

function windowOf({ strides, padding, lhsDilation, rhsDilation, groups }: ConvCase) {
  return { strides, padding, lhsDilation, rhsDilation, groups };
}

function describeConv(given: ConvCase): string {
  return `[${given.x}] with [${given.kernel}] ${JSON.stringify(windowOf(given))}`;
}

describe('dotGeneral', () => {
  it.each(reference.contractions.map((given) => ({ title: `[${given.lhs}] with [${given.rhs}]`, given })))(
    '$title, contracting $given.lhsContracting × $given.rhsContracting, batch $given.lhsBatch × $given.rhsBatch',
    ({ given }) => {
      const { lhsContracting, rhsContracting, lhsBatch, rhsBatch } = given;
      const dimensions = { lhsContracting, rhsContracting, lhsBatch, rhsBatch };
      const inputs = [wave(given.lhs, 0.3), wave(given.rhs, 0.7)];
      expectReference((a, b) => dotGeneral(a, b, dimensions), inputs, given);
    },
  );
});

describe('elementwise functions', () => {
  const points = floats(reference.points);

  it('erf to the last digit', () => {
    expectClose(evaluate(erf, [points]).data, reference.erf, 1e-15);
  });

  it('sigmoid to the last digit', () => {
    expectClose(evaluate(sigmoid, [points]).data, reference.sigmoid, 1e-15);
  });

  it.each([
    ['silu', silu],
    ['gelu', gelu],
    ['geluTanh', (x: Tensor) => gelu(x, { approximate: 'tanh' })],
    ['softplus', softplus],
  ] as const)('%s', (name, f) => {
    // The derivative of softplus at 0 is a property of the function, not of its decomposition's |x|.
    expectReference((x) => f(x), [points], reference.activations[name]);
  });
});

describe('row functions', () => {
  it.each([
    ['softmax', softmax],
    ['layerNorm', (x: Tensor) => layerNorm(x)],
    ['rmsNorm', (x: Tensor) => rmsNorm(x)],
  ] as const)('%s', (name, f) => {
    expectReference((x) => f(x), [wave([3, 4], 0.3, 2)], reference.rows[name]);
  });

  it('layerNorm and rmsNorm scale and shift', () => {
    const inputs = [wave([2, 3]), wave([3], 1), wave([3], 2)];
    const composed = evaluate((x, scale, bias) => layerNorm(x).mul(scale).add(bias), inputs);
    expectClose(evaluate((x, scale, bias) => layerNorm(x, { scale, bias }), inputs).data, composed.data, 0);
    const rms = evaluate((x, scale) => mul(rmsNorm(x, { epsilon: 0.1 }), scale), inputs.slice(0, 2));
    expectClose(
      evaluate((x, scale) => rmsNorm(x, { scale, epsilon: 0.1 }), inputs.slice(0, 2)).data,
      rms.data,
      0,
    );
  });

  it('softmax is not moved by a shift and does not overflow', () => {
    const x = floats([1000, 1001, 999, -1000, -Infinity, -1000], [2, 3]);
    const [a, b, c] = [0, 1, -1].map(Math.exp);
    const total = a + b + c;
    expectClose(evaluate(softmax, [x]).data, [a / total, b / total, c / total, 0.5, 0, 0.5], 1e-15);
    expectClose(evaluate((t) => sum(softmax(t), -1), [x]).data, [1, 1], 1e-15);
  });
});

it('groupNorm', () => {
  const operands = [wave([2, 4, 3, 2], 0.3, 2), wave([4], 0.7), wave([4], 1.1)];
  const f = (x: Tensor, scale: Tensor, bias: Tensor) => groupNorm(x, { groups: 2, scale, bias });
  expectReference(f as TensorFunction, operands, reference.groupNorm);
});

it('attention', () => {
  const operands = [wave([2, 2, 3, 4], 0.3), wave([2, 2, 5, 4], 0.7), wave([2, 2, 5, 4], 1.1)];
  expectReference((q, k, v) => attention(q, k, v), operands, reference.attention);
});
