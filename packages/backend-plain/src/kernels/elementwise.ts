/** Elementwise ops. JavaScript computes in float64; storing into a Float32Array rounds once, as float32 hardware does. */
import { power, sameShape, toInt32 } from '@meanflow/core';
import { allocate, broadcastOffsets } from '../values.js';
import type { Kernel } from './kernel.js';

/** One operand. */
function unary(f: (x: number) => number): Kernel<unknown> {
  return ({ output }) =>
    (x) => {
      const out = allocate(output);
      for (let i = 0; i < out.length; i++) out[i] = f(x[i]);
      return out;
    };
}

/** Two operands that broadcast; `integer` replaces `f` on int32. */
function binary(f: (a: number, b: number) => number, integer = f): Kernel<unknown> {
  return ({ inputs: [a, b], output }) => {
    const g = a.dtype === 'int32' ? integer : f;
    if (sameShape(a.shape, b.shape)) {
      return (x, y) => {
        const out = allocate(output);
        for (let i = 0; i < out.length; i++) out[i] = g(x[i], y[i]);
        return out;
      };
    }
    const [ia, ib] = [broadcastOffsets(a.shape, output.shape), broadcastOffsets(b.shape, output.shape)];
    return (x, y) => {
      const out = allocate(output);
      for (let i = 0; i < out.length; i++) out[i] = g(x[ia[i]], y[ib[i]]);
      return out;
    };
  };
}

const select: Kernel<unknown> = ({ inputs, output }) => {
  const [ic, ia, ib] = inputs.map(({ shape }) => broadcastOffsets(shape, output.shape));
  return (condition, a, b) => {
    const out = allocate(output);
    for (let i = 0; i < out.length; i++) out[i] = condition[ic[i]] ? a[ia[i]] : b[ib[i]];
    return out;
  };
};

/** Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26: |error| ≤ 1.5·10⁻⁷. */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const coefficients = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
  const series = coefficients.reduce((sum, c) => sum * t + c, 0) * t;
  return Number.isNaN(x) ? NaN : Math.sign(x) * (1 - series * Math.exp(-x * x));
}

/** As a bool, everything but 0 is true, NaN too. */
const casts = { float32: (x: number) => x, int32: toInt32, bool: (x: number) => Number(x !== 0) };
const cast: Kernel<unknown> = (instruction) => unary(casts[instruction.output.dtype])(instruction);

export const elementwiseKernels = {
  neg: unary((x) => -x),
  abs: unary(Math.abs),
  sign: unary(Math.sign),
  floor: unary(Math.floor),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sqrt: unary(Math.sqrt),
  rsqrt: unary((x) => 1 / Math.sqrt(x)),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  tanh: unary(Math.tanh),
  sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  erf: unary(erf),
  isFinite: unary((x) => Number(Number.isFinite(x))),
  not: unary((x) => 1 - x),
  cast,
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b, Math.imul),
  div: binary((a, b) => a / b),
  pow: binary(power),
  maximum: binary(Math.max),
  minimum: binary(Math.min),
  equal: binary((a, b) => Number(a === b)),
  less: binary((a, b) => Number(a < b)),
  lessEqual: binary((a, b) => Number(a <= b)),
  and: binary((a, b) => a & b),
  or: binary((a, b) => a | b),
  select,
} satisfies Record<string, Kernel<unknown>>;
