/**
 * The table that every tolerance of the kit comes from: how far one float32 evaluation of each op may lie from its
 * exact value. Bounds are in units of u = 2⁻²⁴ (half an ulp of 1, the unit roundoff) and hold element by element. Where
 * platforms differ, the bound is the weakest guarantee among those that a backend may stand on: IEEE 754 arithmetic,
 * WGSL (section "Floating point accuracy"), the polynomial kernels of ONNX Runtime and tfjs. A graph of several ops
 * needs no further numbers: `tolerance.ts` finds by experiment how the graph itself carries these roundings forward.
 */
import {
  abs,
  add,
  constant,
  conv,
  dotGeneral,
  HostArray,
  isFinite,
  log,
  mul,
  scatterAdd,
  sub,
  sum,
  where,
  equal,
  type Tensor,
} from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import type { OpAttributes, PrimitiveName } from '@meanflow/core/backend';

/** The unit roundoff of float32. */
export const UNIT_ROUNDOFF = 2 ** -24;

export interface OpEvaluation<A> {
  readonly inputs: readonly Tensor[];
  /** The exact result. */
  readonly output: Tensor;
  readonly attributes: A;
}

/** What is known of one op's rounding. */
export interface Roundoff<A> {
  /** How the bound follows; shown in reports. */
  readonly analysis: string;
  /** The bound in units of u, of the output's shape; absent for ops that are exact. Traced. */
  readonly bound?: (evaluation: OpEvaluation<A>) => Tensor;
}

/** Roundings in a sum of `n` terms: that of pairwise summation, whose base may be some dozen terms wide. */
export function roundingsOfSum(n: number): number {
  return Math.min(n, 4 + 2 * Math.log2(Math.max(1, n)));
}

/** λ in the error of n products, min(n, λ√n)·u: it is exceeded with probability below 2·exp(−λ²/2) ≈ 7·10⁻⁴. */
const LAMBDA = 4;

/** Roundings in a sum of `n` products in any order, by worst case for few of them and by probability for many. */
export function roundingsOfProducts(n: number): number {
  return Math.min(n, LAMBDA * Math.sqrt(n));
}

const exact = (analysis: string): Roundoff<unknown> => ({ analysis });
const moves = exact('Moves elements; the bits stay.');
const decides = exact('A decision or a sign; exact.');
const picks = exact('Returns one of its operands; exact.');

const relative = (units: number, analysis: string): Roundoff<unknown> => ({
  analysis: `${units} u·|y|. ${analysis}`,
  bound: ({ output }) => mul(units, abs(output)),
});

/** For arithmetic that is correctly rounded: what is a float32 number already loses nothing. */
const correct = (analysis: string): Roundoff<unknown> => ({
  analysis: `u·|y|, and 0 where y is a float32 number. ${analysis}`,
  bound: ({ output }) => where(equal(roundedToFloat32(output), output), 0, abs(output)),
});

/**
 * The nearest number of 24 bits, in float64 arithmetic (Dekker, 1971): y·(2²⁹ + 1) − (y·(2²⁹ + 1) − y). Where it overflows
 * it is a NaN, which is no number's equal.
 */
function roundedToFloat32(y: Tensor): Tensor {
  const scaled = mul(2 ** 29 + 1, y);
  return sub(scaled, sub(scaled, y));
}

/** 1 wherever a value is; NaN stays NaN. */
const finiteOne = (y: Tensor): Tensor => where(equal(y, y), 1, y);

const summed = (what: string): string =>
  `min(n, ${LAMBDA}√n)·u·${what}. Recursive summation in any order (Higham and Mary, 2019, theorem 2.4, λ = ${LAMBDA}).`;

type Table = { readonly [K in PrimitiveName]: Roundoff<OpAttributes[K]> };

/** The table. */
export const roundoff: Table = {
  constant: {
    analysis: '|c − fl(c)|: a constant is rounded to float32 once; integers and short fractions are exact.',
    bound: ({ attributes: { dtype, value } }) => {
      const lost = Float64Array.from(value.data, (c) => lostByRounding(c) / UNIT_ROUNDOFF);
      return constant(new HostArray('float64', value.shape, lost), dtype);
    },
  },
  iota: exact('Whole numbers below 2²⁴; exact.'),

  neg: decides,
  abs: decides,
  sign: decides,
  floor: decides,
  exp: {
    analysis: '(6 + 4|x|) u·|y|. WGSL: 3 + 2|x| ulp; the argument’s own rounding is multiplied by |x|.',
    // Of an infinity it is exact; 0 · ∞ would say nothing.
    bound: ({ inputs, output }) => {
      const [x] = leading(inputs, 1);
      return where(isFinite(x), mul(add(6, mul(4, abs(x))), abs(output)), 0);
    },
  },
  log: {
    analysis: '6 u·|y| + 8 u. WGSL: 3 ulp, and 2⁻²¹ absolute for x in [½, 2], where y passes zero.',
    bound: ({ output }) => add(mul(6, abs(output)), mul(8, finiteOne(output))),
  },
  sqrt: relative(9, 'WGSL: 1 / inverseSqrt(x), 2 ulp and a division of 2.5 ulp.'),
  rsqrt: relative(14, 'As 1 / √x: that of the root and of a division.'),
  sin: {
    analysis: '16 u·(1 + |x|). Hardware sines are accurate absolutely; reducing x to a period costs u·|x|.',
    bound: ({ inputs }) => {
      const [x] = leading(inputs, 1);
      return mul(16, add(1, abs(x)));
    },
  },
  cos: {
    analysis: '16 u·(1 + |x|). As for sin.',
    bound: ({ inputs }) => {
      const [x] = leading(inputs, 1);
      return mul(16, add(1, abs(x)));
    },
  },
  log1p: relative(
    16,
    'By series where x is small, elsewhere log(1 + x): that of the logarithm, of 1 + x and a quotient.',
  ),
  tanh: relative(16, 'Rational or exponential forms; near 0, where these cancel, by series.'),
  sigmoid: {
    analysis:
      '(12 + 4|x|) u·|y|. 1 / (1 + e⁻ˣ): that of the exponential where it is large, and of a division.',
    bound: ({ inputs, output }) => {
      const [x] = leading(inputs, 1);
      return where(isFinite(x), mul(add(12, mul(4, abs(x))), abs(output)), 0);
    },
  },
  erf: relative(16, 'By series near 0; elsewhere 1 less what is small.'),
  erfc: {
    analysis: '(24 + 4x²) u·|y|. As exp(−x² + …): the exponent’s rounding is multiplied by itself.',
    bound: ({ inputs, output }) => {
      const [x] = leading(inputs, 1);
      return where(isFinite(x), mul(add(24, mul(4, mul(x, x))), abs(output)), 0);
    },
  },
  isFinite: decides,
  not: decides,
  cast: correct('One rounding, of integers beyond 2²⁴; all else is exact.'),

  add: correct('Correctly rounded.'),
  sub: correct('Correctly rounded.'),
  mul: correct('Correctly rounded.'),
  div: relative(5, 'WGSL: 2.5 ulp.'),
  pow: {
    analysis:
      '(16 + 16|p|(1 + |log |x||)) u·|y|. As exp2(p · log2 x): the exponent’s error is multiplied by itself.',
    bound: ({ inputs, output }) => {
      const [x, p] = leading(inputs, 2);
      const logarithm = abs(log(where(equal(x, 0), 1, abs(x))));
      const bound = mul(add(16, mul(16, mul(abs(p), add(1, logarithm)))), abs(output));
      return where(isFinite(bound), bound, 0);
    },
  },
  maximum: picks,
  minimum: picks,
  equal: decides,
  less: decides,
  lessEqual: decides,
  and: decides,
  or: decides,
  select: picks,

  reduceSum: {
    analysis: 'min(n, 4 + 2 log₂ n)·u·Σ|x|, n terms. Pairwise summation (Higham, 2002, section 4.2).',
    bound: ({ inputs, attributes: { axes } }) => {
      const [x] = leading(inputs, 1);
      const n = axes.reduce((count, axis) => count * x.shape[axis]!, 1);
      return mul(roundingsOfSum(n), sum(abs(x), axes));
    },
  },
  reduceMax: picks,
  argMax: decides,

  reshape: moves,
  transpose: moves,
  broadcastTo: moves,
  slice: moves,
  pad: moves,
  concat: moves,
  reverse: moves,

  dotGeneral: {
    analysis: summed('Σ|a||b|, n products') + ' Products are rounded, or fused.',
    bound: ({ inputs, attributes }) => {
      const [a, b] = leading(inputs, 2);
      const n = attributes.lhsContracting.reduce((count, axis) => count * a.shape[axis]!, 1);
      return mul(roundingsOfProducts(n) + 1, dotGeneral(abs(a), abs(b), attributes));
    },
  },
  conv: {
    analysis: summed('Σ|x||k|, n products in a window') + ' Direct or as a matrix product.',
    bound: ({ inputs, attributes }) => {
      const [x, kernel] = leading(inputs, 2);
      const n = kernel.shape.slice(1).reduce((count, size) => count * size, 1);
      return mul(roundingsOfProducts(n) + 1, conv(abs(x), abs(kernel), attributes));
    },
  },

  gather: moves,
  scatterAdd: {
    analysis: summed('Σ|updates| of a row, n updates in all'),
    bound: ({ inputs, attributes: { rows } }) => {
      const [updates, indices] = leading(inputs, 2);
      const n = indices.shape.reduce((count, size) => count * size, 1);
      return mul(roundingsOfProducts(n), scatterAdd(abs(updates), indices, rows));
    },
  },

  stopGradient: moves,
  optimizationBarrier: moves,
};

/** What a number loses when float32 stores it; nothing when it is not finite. */
export function lostByRounding(value: number): number {
  return Number.isFinite(value) ? Math.abs(value - Math.fround(value)) : 0;
}
