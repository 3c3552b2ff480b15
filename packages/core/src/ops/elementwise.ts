/**
 * Elementwise ops of one operand. Each row of a table gives the function on a number and its derivative as a
 * tensor expression of the operand `x` and the result `y`.
 */
import { DTypeError } from '../errors.js';
import { slope } from '../composites/slope.js';
import { abs, add, cos, div, exp, mul, neg, sigmoid, sign, sin, tanh } from '../functions.js';
import { toInt32 } from '../special-values.js';
import type { Tensor } from '../tensor.js';
import { sizeOf, type DType, type TensorType } from '../types.js';
import type { None, OpAttributes } from './attributes.js';
import {
  allocate,
  noTangent,
  type OpDefinition,
  type RefData,
  type RefValue,
  type Tangent,
} from './definition.js';

interface Unary {
  /** Dtypes it takes; the result has the operand's dtype unless `result` says otherwise. */
  readonly dtypes?: readonly DType[];
  readonly result?: DType;
  readonly value: (x: number) => number;
  /** dy/dx; `undefined` where the derivative is zero everywhere (or the op is not for floats). */
  readonly derivative?: (x: Tensor, y: Tensor) => Tensor;
  readonly flops?: number;
}

const FLOAT: readonly DType[] = ['float32'];
const NUMERIC: readonly DType[] = ['float32', 'int32'];

function unary({ dtypes = FLOAT, result, value, derivative, flops = 1 }: Unary): OpDefinition<None> {
  return {
    infer: ([x]) => {
      if (!dtypes.includes(x.dtype)) throw new DTypeError(`takes ${dtypes.join(' or ')}, got ${x.dtype}.`);
      return { dtype: result ?? x.dtype, shape: x.shape };
    },
    jvp: ({ inputs: [x], tangents: [dx], output }): Tangent =>
      derivative === undefined ? undefined : mul(dx!, derivative(x, output)),
    evaluate: ([x], _, type) => mapInto(allocate(type.dtype, x.data.length), x.data, value),
    flops: (_, output) => flops * sizeOf(output.shape),
  };
}

function mapInto(into: RefData, from: RefData, f: (x: number) => number): RefData {
  for (let i = 0; i < into.length; i++) into[i] = f(from[i]);
  return into;
}

/** c · e^{−x²} */
const gaussian = (c: number, x: Tensor): Tensor => mul(c, exp(neg(mul(x, x))));

/** The error function to float64 accuracy: e^{-x²} times a series of positive terms (no cancellation). */
function erfOf(x: number): number {
  if (!(Math.abs(x) < 6)) return Number.isNaN(x) ? NaN : Math.sign(x);
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

/** e^{−x²}, with the square in two parts: rounded, it would cost x² roundings. */
function gaussianOf(x: number): number {
  const head = Math.fround(x);
  return Math.exp(-head * head) * Math.exp(-(x - head) * (x + head));
}

/** Distance of the nodes in the rule for erfc, whose error is e^{−(π / STEP)²}, and the nodes that count. */
const STEP = 0.5;
const NODES = Array.from({ length: 13 }, (_, k) => ((k + 1) * STEP) ** 2);

/**
 * 1 − erf(x) to float64 accuracy, relative to itself: above ½ as the integral (2x / π) e^{−x²} ∫₀^∞ e^{−t²} / (t² + x²) dt by
 * the trapezoidal rule, which is exact but for a pole (Chiarella and Reichel, 1968; Hunter and Regan, 1972).
 */
function erfcOf(x: number): number {
  if (!(x >= 0.5)) return 1 - erfOf(x);
  if (x > 28) return 0;
  const square = x * x;
  const sum = NODES.reduce((total, node) => total + Math.exp(-node) / (node + square), 0.5 / square);
  const pole = x < Math.PI / STEP ? 2 / Math.expm1((2 * Math.PI * x) / STEP) : 0;
  return ((2 * STEP * x) / Math.PI) * gaussianOf(x) * sum - pole;
}

/** Splitting by sign keeps the exponential from overflowing. */
function sigmoidOf(x: number): number {
  const e = Math.exp(-Math.abs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

/** σ(x) σ(−x): of 1 − σ(x) nothing would be left where σ is near 1. */
const sigmoidSlope = slope(
  'sigmoidSlope',
  (x) => mul(sigmoid(x), sigmoid(neg(x))),
  (x) => neg(mul(sigmoidSlope(x), tanh(mul(0.5, x)))),
);

/** 1 − y² for y = tanh x, likewise: 1 − |y| is 2 σ(−2|x|). */
const tanhSlope = slope(
  'tanhSlope',
  (x) => mul(mul(2, sigmoid(mul(-2, abs(x)))), add(1, abs(tanh(x)))),
  (x) => mul(mul(-2, tanh(x)), tanhSlope(x)),
);

export const unaryOps = {
  neg: {
    ...unary({ dtypes: NUMERIC, value: (x) => -x }),
    jvp: ({ tangents: [dx] }) => neg(dx!),
    transpose: ({ cotangent }) => [neg(cotangent)],
  },
  abs: unary({ dtypes: NUMERIC, value: Math.abs, derivative: (x) => sign(x) }),
  sign: unary({ dtypes: NUMERIC, value: Math.sign }),
  floor: unary({ value: Math.floor }),
  exp: unary({ value: Math.exp, derivative: (_, y) => y }),
  log: unary({ value: Math.log, derivative: (x) => div(1, x) }),
  log1p: unary({ value: Math.log1p, derivative: (x) => div(1, add(1, x)), flops: 2 }),
  sqrt: unary({ value: Math.sqrt, derivative: (_, y) => div(0.5, y) }),
  rsqrt: unary({ value: (x) => 1 / Math.sqrt(x), derivative: (x, y) => mul(-0.5, div(y, x)), flops: 2 }),
  sin: unary({ value: Math.sin, derivative: (x) => cos(x) }),
  cos: unary({ value: Math.cos, derivative: (x) => neg(sin(x)) }),
  tanh: unary({ value: Math.tanh, derivative: (x) => tanhSlope(x) }),
  sigmoid: unary({ value: sigmoidOf, derivative: (x) => sigmoidSlope(x), flops: 3 }),
  erf: unary({ value: erfOf, derivative: (x) => gaussian(2 / Math.sqrt(Math.PI), x) }),
  erfc: unary({ value: erfcOf, derivative: (x) => gaussian(-2 / Math.sqrt(Math.PI), x) }),
  isFinite: unary({ result: 'bool', value: (x) => Number(Number.isFinite(x)) }),
  not: unary({ dtypes: ['bool'], value: (x) => 1 - x }),
} as const satisfies Record<string, OpDefinition<None>>;

/**
 * Conversion. Floats to int32 go toward zero; beyond the range they are the nearest int32, and NaN is 0. Anything to bool
 * is `x ≠ 0`, which is true of NaN.
 */
export const cast: OpDefinition<OpAttributes['cast']> = {
  infer: ([x], { dtype }) => ({ dtype, shape: x.shape }),
  jvp: ({ tangents: [dx], attributes: { dtype } }) => (dtype === 'float32' ? dx : noTangent()),
  transpose: ({ cotangent }) => [cotangent],
  evaluate: ([x]: readonly RefValue[], { dtype }, _type: TensorType) =>
    mapInto(allocate(dtype, x.data.length), x.data, castTo[dtype]),
  flops: () => 0,
};

const castTo: Readonly<Record<DType, (x: number) => number>> = {
  float32: (x) => x,
  int32: toInt32,
  bool: (x) => Number(x !== 0),
};
