/** Elementwise ops. JavaScript computes in float64; storing into a Float32Array rounds once, as float32 hardware does. */
import { sameShape, type TensorType } from '@meanflow/core';
import { power, toInt32 } from '@meanflow/core/backend';
import { allocate, broadcastOffsets } from '../values.js';
import type { Kernel, KernelTable } from './kernel.js';

/** One operand. */
function unary(f: (x: number) => number): Kernel<1> {
  return ({ output }) =>
    (x) => {
      const out = allocate(output);
      for (let i = 0; i < out.length; i++) out[i] = f(x[i]!);
      return out;
    };
}

/** Two operands that broadcast; `integer` replaces `f` on int32. */
function binary(f: (a: number, b: number) => number, integer = f): Kernel<2> {
  return ({ inputs: [a, b], output }) => {
    const g = a.dtype === 'int32' ? integer : f;
    if (sameShape(a.shape, b.shape)) {
      return (x, y) => {
        const out = allocate(output);
        for (let i = 0; i < out.length; i++) out[i] = g(x[i]!, y[i]!);
        return out;
      };
    }
    const [ia, ib] = [broadcastOffsets(a.shape, output.shape), broadcastOffsets(b.shape, output.shape)];
    return (x, y) => {
      const out = allocate(output);
      for (let i = 0; i < out.length; i++) out[i] = g(x[ia[i]!]!, y[ib[i]!]!);
      return out;
    };
  };
}

const select: Kernel<3> = ({ inputs: [condition, a, b], output }) => {
  const places = ({ shape }: TensorType) => broadcastOffsets(shape, output.shape);
  const [ic, ia, ib] = [places(condition), places(a), places(b)];
  return (chosen, x, y) => {
    const out = allocate(output);
    for (let i = 0; i < out.length; i++) out[i] = chosen[ic[i]!]! ? x[ia[i]!]! : y[ib[i]!]!;
    return out;
  };
};

/** Numerical Recipes, section 6.2 (erfcc): the error is below 1.2·10⁻⁷ of the value, wherever it is. */
function erfc(x: number): number {
  const t = 1 / (1 + Math.abs(x) / 2);
  const coefficients = [
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196,
    1.00002368, -1.26551223,
  ];
  const value = t * Math.exp(coefficients.reduce((sum, c) => sum * t + c, 0) - x * x);
  return x < 0 ? 2 - value : value;
}

/** Near 0 the first terms of its series, elsewhere the rest of {@link erfc}. */
function erf(x: number): number {
  if (Math.abs(x) >= 0.5) return x > 0 ? 1 - erfc(x) : erfc(-x) - 1;
  const z = x * x;
  return (
    (2 / Math.sqrt(Math.PI)) * x * (1 - z * (1 / 3 - z * (1 / 10 - z * (1 / 42 - z * (1 / 216 - z / 1320)))))
  );
}

/** As a bool, everything but 0 is true, NaN too. */
const casts = {
  float32: (x: number) => x,
  float16: (x: number) => x,
  int32: toInt32,
  bool: (x: number) => Number(x !== 0),
};
const cast: Kernel<1> = (instruction) => unary(casts[instruction.output.dtype])(instruction);

export const elementwiseKernels = {
  neg: unary((x) => -x),
  abs: unary(Math.abs),
  sign: unary(Math.sign),
  floor: unary(Math.floor),
  exp: unary(Math.exp),
  log: unary(Math.log),
  log1p: unary(Math.log1p),
  sqrt: unary(Math.sqrt),
  rsqrt: unary((x) => 1 / Math.sqrt(x)),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  tanh: unary(Math.tanh),
  sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  erf: unary(erf),
  erfc: unary(erfc),
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
} satisfies Partial<KernelTable>;
