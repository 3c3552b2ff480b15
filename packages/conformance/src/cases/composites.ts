/**
 * Composites against their decomposition: a backend with a kernel of its own for one must give what the primitives give,
 * at ordinary, extreme and many elements, alone and among other ops. The interpreter, which runs the decomposition, is the
 * oracle.
 */
import {
  adamUpdate,
  add,
  attention,
  checkpoint,
  gelu,
  grad,
  groupNorm,
  hostZeros,
  jvp,
  layerNorm,
  mul,
  rmsNorm,
  silu,
  softmax,
  softplus,
  sum,
  transpose,
  type AttentionOptions,
  type Shape,
  type Tensor,
} from '@meanflow/core';
import { valueCase } from './build.js';
import type { GraphCase } from './case.js';
import { f32, floats, normals, RANKS, show } from './inputs.js';
import { namesakePairs } from './own-composites.js';

type Unary = (x: Tensor) => Tensor;
const ROWWISE: Readonly<Record<string, Unary>> = {
  softmax,
  layerNorm: (x) => layerNorm(x),
  rmsNorm: (x) => rmsNorm(x),
};
const ELEMENTWISE: Readonly<Record<string, Unary>> = {
  silu,
  gelu: (x) => gelu(x),
  geluTanh: (x) => gelu(x, { approximate: 'tanh' }),
  softplus,
};
const aspect = 'composites';

function activationCases(): GraphCase[] {
  return Object.entries(ELEMENTWISE).flatMap(([op, f]) => [
    ...([...RANKS, [0, 3]] as Shape[]).map((shape) =>
      valueCase(op, show(shape), f, () => [floats(shape, -5, 5)], {
        aspect,
        features: [
          ...(shape.length === 5 ? (['rank-5'] as const) : []),
          ...(shape.includes(0) ? (['zero-size'] as const) : []),
        ],
      }),
    ),
    valueCase(op, 'far from 0', f, () => [f32([-1000, -100, -60, -20, -8, 0, 8, 20, 60, 100, 1000])], {
      aspect,
    }),
    valueCase(
      op,
      'of transposed',
      (x) => f(transpose(x)),
      () => [floats([3, 4], -4, 4)],
      {
        aspect,
        features: ['layout'],
      },
    ),
    valueCase(op, '2^13 elements', f, () => [normals([2 ** 13])], { aspect, features: ['large'] }),
    valueCase(op, 'beside its gradient', (x) => [f(x), grad((y: Tensor) => sum(mul(f(y), y)))(x)], () => [
      floats([3, 4], -3, 3),
    ], { aspect }), // prettier-ignore
  ]);
}

function rowwiseCases(): GraphCase[] {
  return Object.entries(ROWWISE).flatMap(([op, f]) => [
    ...([[4], [1], [3, 4], [2, 3, 4], [2, 1, 3, 5], [2, 2, 1, 3, 2]] as Shape[]).map((shape) =>
      valueCase(op, show(shape), f, () => [floats(shape, -3, 3)], {
        aspect,
        features: shape.length === 5 ? ['rank-5'] : [],
      }),
    ),
    valueCase(op, '[0,4]', f, () => [floats([0, 4])], { aspect, features: ['zero-size'] }),
    valueCase(
      op,
      'large numbers',
      f,
      () => [f32([100, 101, 99, 98, -300, 0, 300, 1, -5, 0, 5, 1000], [3, 4])],
      { aspect },
    ),
    valueCase(op, 'equal numbers', f, () => [f32([2, 2, 2, 2], [1, 4])], { aspect }),
    valueCase(
      op,
      'of transposed',
      (x) => f(transpose(x)),
      () => [floats([5, 3])],
      {
        aspect,
        features: ['layout'],
      },
    ),
    valueCase(op, 'rows of 1,000', f, () => [normals([4, 1000])], { aspect, features: ['large'] }),
    valueCase(op, 'beside its gradient', (x) => [f(x), grad((y: Tensor) => sum(mul(f(y), y)))(x)], () => [
      floats([3, 4]),
    ], { aspect }), // prettier-ignore
  ]);
}

function attentionCases(): GraphCase[] {
  const of = (variant: string, q: Shape, k: Shape, options?: AttentionOptions) =>
    valueCase('attention', variant, (x, y, z) => attention(x, y, z, options), () => [
      normals(q, 'q'),
      normals(k, 'k'),
      normals(k, 'v'),
    ], { aspect }); // prettier-ignore
  return [
    of('2 heads', [2, 2, 3, 4], [2, 2, 3, 4]),
    of('more keys than queries', [1, 2, 2, 4], [1, 2, 7, 4]),
    of('one key', [1, 1, 3, 4], [1, 1, 1, 4]),
    of('a scale of its own', [1, 2, 3, 4], [1, 2, 3, 4], { scale: 3 }),
    of('a scale of 0', [1, 2, 3, 4], [1, 2, 3, 4], { scale: 0 }),
    of('a negative scale', [1, 2, 3, 4], [1, 2, 3, 4], { scale: -0.7 }),
    of('64 tokens', [1, 2, 64, 16], [1, 2, 64, 16]),
    of('in tiles', [2, 2, 5, 4], [2, 2, 7, 4], { tile: 2 }),
    valueCase(
      'attention',
      'in tiles, with its tangent and gradient',
      (q, k, v) => {
        const f = (x: Tensor, y: Tensor, z: Tensor) => attention(x, y, z, { tile: 2 });
        const [value, tangent] = jvp(f, [q, k, v], [q, k, v]);
        const gradient = (x: Tensor[]) =>
          grad((at: Tensor[]) => sum(mul(f(at[0]!, at[1]!, at[2]!), value)))(x);
        return [value, tangent, ...gradient([q, k, v])];
      },
      () => [normals([1, 2, 5, 4], 'q'), normals([1, 2, 7, 4], 'k'), normals([1, 2, 7, 4], 'v')],
      { aspect },
    ),
  ];
}

function optimizerCases(): GraphCase[] {
  const constants = { beta1: 0.9, beta2: 0.95 };
  const operands = (shape: Shape, scale: number) =>
    scale === 0
      ? [1, 2, 3].map(() => hostZeros(shape))
      : [
          floats(shape, -scale, scale, 'gradient'),
          floats(shape, -scale, scale, 'mean'),
          floats(shape, 0, scale ** 2, 'variance'),
        ];
  const of = (variant: string, shape: Shape, gradientScale: number) =>
    valueCase('adamUpdate', variant, (gradient, mean, variance, stepSize, epsilon) => {
      const next = adamUpdate({ gradient, mean, variance, stepSize, epsilon }, constants);
      return [next.update, next.mean, next.variance];
    }, () => [
      ...operands(shape, gradientScale),
      f32([-0.003], []),
      f32([1e-6], []),
    ], { aspect }); // prettier-ignore
  return [
    of('[3,4]', [3, 4], 1),
    of('a scalar', [], 1),
    of('small gradients', [16], 1e-4),
    of('nothing but zeros', [3], 0),
    of('2^13 elements', [2 ** 13], 1),
  ];
}

/** What merely bears the name of core's. */
function ownCases(): GraphCase[] {
  return namesakePairs().flatMap(({ op, own, cores, inputs }) => [
    valueCase(op, "a user's own of that name", own, inputs, { aspect }),
    valueCase(op, "beside a user's own of that name", (...x) => [...cores(...x), ...own(...x)], inputs, {
      aspect,
    }),
  ]);
}

/** All of them. */
export function compositeCases(): GraphCase[] {
  const nested = (x: Tensor) => layerNorm(add(x, gelu(rmsNorm(x))));
  const affine = () => [floats([4, 6]), floats([6], 0.5, 1.5, 'scale'), floats([6], -1, 1, 'bias')];
  return [
    valueCase('layerNorm', 'scaled and shifted', (x, scale, bias) => layerNorm(x, { scale, bias }), affine, {
      aspect,
    }),
    valueCase('rmsNorm', 'scaled, an epsilon of its own', (x, scale) => rmsNorm(x, { scale, epsilon: 1e-3 }), () => affine().slice(0, 2), { aspect }), // prettier-ignore
    ...activationCases(),
    ...rowwiseCases(),
    ...attentionCases(),
    ...optimizerCases(),
    ...ownCases(),
    valueCase('layerNorm', 'groups of channels', (x) => groupNorm(x, { groups: 2 }), () => [
      normals([2, 8, 5, 6]),
    ], { aspect }), // prettier-ignore
    valueCase('layerNorm', 'composites of composites', nested, () => [floats([3, 5])], { aspect }),
    valueCase('optimizationBarrier', 'a checkpointed gradient', (x) => {
      const f = checkpoint((y: Tensor) => mul(silu(y), softmax(y)));
      return grad((y: Tensor) => sum(mul(f(f(y)), y)))(x);
    }, () => [floats([3, 4])], { aspect }), // prettier-ignore
  ];
}
