/**
 * Functions whose GPU kernels are not good enough, from those that are. WGSL promises sines to 2⁻¹¹ only, and lets a
 * compiler assume that there is no NaN, no infinity and no denormal number: on SwiftShader exp(NaN) is ∞ and log(0)
 * is −88.
 */
import type { ValueName } from '../onnx/model.js';
import type { ModelBuilder } from '../onnx/model-builder.js';
import { erfcWith, log1pWith, oddNearZero } from './accurate-functions.js';
import type { Elementwise } from './lowering.js';

const isNumber = (builder: ModelBuilder, x: ValueName): ValueName => builder.node('Equal', [x, x]);

/** A function that keeps NaN. */
const keepingNaN =
  (op: string): Elementwise<1> =>
  ({ builder, inputs: [x] }) =>
    builder.node('Where', [isNumber(builder, x.name), builder.node(op, [x.name]), x.name]);

export const exp = keepingNaN('Exp');
export const sigmoid = keepingNaN('Sigmoid');

/** The smallest number that is not denormal; GPUs read smaller ones as zeros. */
export const SMALLEST_NORMAL = 2 ** -126;

export const log: Elementwise<1> = ({ builder, inputs: [x] }) => {
  const number = (value: number) => builder.scalar('float32', value);
  const choose = (condition: ValueName, yes: ValueName, no: ValueName) =>
    builder.node('Where', [condition, yes, no]);
  const isFinite = builder.node('Less', [x.name, number(Infinity)]);
  const isPositive = builder.node('Less', [number(0), x.name]);
  const isZero = builder.node('Less', [builder.node('Abs', [x.name]), number(SMALLEST_NORMAL)]);
  const positive = choose(isFinite, builder.node('Log', [x.name]), x.name);
  return choose(isZero, number(-Infinity), choose(isPositive, positive, number(NaN)));
};

/** Fitted at Chebyshev nodes, as those of backend-tfjs: to two roundings. */
export const tanh = oddNearZero(
  'Tanh',
  0.625,
  [1, -0.33333254, 0.13330957, -0.053707067, 0.020544905, -0.0056076887],
);
export const erf = oddNearZero(
  'Erf',
  1,
  [
    1.1283792, -0.37612638, 0.11283784, -0.026865438, 0.0052210535, -0.00084843964, 0.00011268254,
    -0.0000096735932,
  ],
);
export const log1p = log1pWith(log);
export const erfc = erfcWith(exp);

/** π/2 in three parts, of which the multiples of the first two are exact in float32 (Cody and Waite). */
const HALF_PI = [1.5703125, 4.837512969970703125e-4, 7.549789954891882e-8];

/** On [−π/4, π/4], in powers of x²: sin x = x + x³ · p(x²) and cos x = 1 − x²/2 + x⁴ · p(x²) (Cephes, sinf.c). */
const SIN = [-1.6666654611e-1, 8.3321608736e-3, -1.9515295891e-4];
const COS = [4.166664568298827e-2, -1.388731625493765e-3, 2.443315711809948e-5];

/** sin(x + quarters · π/2), by reduction to the nearest multiple of π/2 and polynomials; to 2⁻²² up to |x| ≈ 10⁴. */
const sine =
  (quarters: 0 | 1): Elementwise<1> =>
  ({ builder, inputs: [{ name: x }] }) => {
    const number = (value: number) => builder.scalar('float32', value);
    const add = (a: ValueName, b: ValueName) => builder.node('Add', [a, b]);
    const mul = (a: ValueName, b: ValueName) => builder.node('Mul', [a, b]);
    const floor = (a: ValueName) => builder.node('Floor', [a]);
    const polynomial = (z: ValueName, [first = 0, ...rest]: readonly number[]): ValueName =>
      rest.length === 0 ? number(first) : add(mul(polynomial(z, rest), z), number(first));
    const multiple = floor(add(mul(x, number(2 / Math.PI)), number(0.5)));
    const remainder = HALF_PI.reduce((r, part) => builder.node('Sub', [r, mul(multiple, number(part))]), x);
    // Of the largest numbers no rest is left; of infinities it is NaN.
    const isRest = builder.node('Less', [builder.node('Abs', [remainder]), number(1)]);
    const rest = builder.node('Where', [isRest, remainder, mul(remainder, number(0))]);
    const z = mul(rest, rest);
    const sin = add(rest, mul(mul(rest, z), polynomial(z, SIN)));
    const even = add(mul(z, number(-0.5)), mul(mul(z, z), polynomial(z, COS)));
    const cos = add(even, number(1));
    const turned = quarters === 0 ? multiple : add(multiple, number(quarters));
    const modulo = (n: number) =>
      builder.node('Sub', [turned, mul(floor(mul(turned, number(1 / n))), number(n))]);
    const isOdd = builder.node('Less', [number(0.5), modulo(2)]);
    const isNegative = builder.node('Less', [number(1.5), modulo(4)]);
    const value = builder.node('Where', [isOdd, cos, sin]);
    return builder.node('Where', [isNegative, builder.node('Neg', [value]), value]);
  };

export const sin = sine(0);
export const cos = sine(1);
