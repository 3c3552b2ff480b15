/**
 * Elementwise ops of one operand. Each row of a table gives the function on a number and its derivative as a
 * tensor expression of the operand `x` and the result `y`.
 */
import { DTypeError } from '../errors.js';
import { cos, div, exp, mul, neg, sign, sin, sub } from '../functions.js';
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

/** The error function to float64 accuracy: e^{-x²} times a series of positive terms (no cancellation). */
function erf(x: number): number {
  if (!(Math.abs(x) < 6)) return Number.isNaN(x) ? NaN : Math.sign(x);
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

/** Splitting by sign keeps the exponential from overflowing. */
function sigmoid(x: number): number {
  const e = Math.exp(-Math.abs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

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
  sqrt: unary({ value: Math.sqrt, derivative: (_, y) => div(0.5, y) }),
  rsqrt: unary({ value: (x) => 1 / Math.sqrt(x), derivative: (x, y) => mul(-0.5, div(y, x)), flops: 2 }),
  sin: unary({ value: Math.sin, derivative: (x) => cos(x) }),
  cos: unary({ value: Math.cos, derivative: (x) => neg(sin(x)) }),
  tanh: unary({ value: Math.tanh, derivative: (_, y) => sub(1, mul(y, y)) }),
  sigmoid: unary({ value: sigmoid, derivative: (_, y) => mul(y, sub(1, y)), flops: 3 }),
  erf: unary({
    value: erf,
    derivative: (x) => mul(2 / Math.sqrt(Math.PI), exp(neg(mul(x, x)))),
  }),
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
