/** Elementwise ops of one operand: the function on a number, of each. */
import { DTypeError } from '../errors.js';
import { toInt32 } from '../special-values.js';
import { sizeOf, type DType } from '../types.js';
import type { NoAttributes } from './attributes.js';
import { allocate, free, type Meaning, type OpMeaning, type RefData } from './definition.js';

interface Unary {
  /** Dtypes it takes; the result has the operand's dtype unless `result` says otherwise. */
  readonly dtypes?: readonly DType[];
  readonly result?: DType;
  readonly value: (x: number) => number;
  readonly flops?: number;
}

const FLOAT: readonly DType[] = ['float32', 'float16'];
const NUMERIC: readonly DType[] = ['float32', 'float16', 'int32'];

function unary({ dtypes = FLOAT, result, value, flops = 1 }: Unary): OpMeaning<1, NoAttributes> {
  return {
    infer: ([x]) => {
      if (!dtypes.includes(x.dtype)) throw new DTypeError(`takes ${dtypes.join(' or ')}, got ${x.dtype}.`);
      return { dtype: result ?? x.dtype, shape: x.shape };
    },
    evaluate: ([x], _, type) => mapInto(allocate(type.dtype, x.data.length), x.data, value),
    flops: (_, output) => flops * sizeOf(output.shape),
  };
}

function mapInto(into: RefData, from: RefData, f: (x: number) => number): RefData {
  for (let i = 0; i < into.length; i++) into[i] = f(from[i]!);
  return into;
}

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

export const unaryOps = {
  neg: unary({ dtypes: NUMERIC, value: (x) => -x }),
  abs: unary({ dtypes: NUMERIC, value: Math.abs }),
  sign: unary({ dtypes: NUMERIC, value: Math.sign }),
  floor: unary({ value: Math.floor }),
  exp: unary({ value: Math.exp }),
  log: unary({ value: Math.log }),
  log1p: unary({ value: Math.log1p, flops: 2 }),
  sqrt: unary({ value: Math.sqrt }),
  rsqrt: unary({ value: (x) => 1 / Math.sqrt(x), flops: 2 }),
  sin: unary({ value: Math.sin }),
  cos: unary({ value: Math.cos }),
  tanh: unary({ value: Math.tanh }),
  sigmoid: unary({ value: sigmoidOf, flops: 3 }),
  erf: unary({ value: erfOf }),
  erfc: unary({ value: erfcOf }),
  isFinite: unary({ result: 'bool', value: (x) => Number(Number.isFinite(x)) }),
  not: unary({ dtypes: ['bool'], value: (x) => 1 - x }),
};

/**
 * Conversion. Floats to int32 go toward zero; beyond the range they are the nearest int32, and NaN is 0. Anything to bool
 * is `x ≠ 0`, which is true of NaN.
 */
export const cast: Meaning<'cast'> = {
  infer: ([x], { dtype }) => ({ dtype, shape: x.shape }),
  evaluate: ([x], { dtype }) => mapInto(allocate(dtype, x.data.length), x.data, castTo[dtype]),
  flops: free,
};

const castTo: Readonly<Record<DType, (x: number) => number>> = {
  float32: (x) => x,
  float16: (x) => x,
  int32: toInt32,
  bool: (x) => Number(x !== 0),
};
