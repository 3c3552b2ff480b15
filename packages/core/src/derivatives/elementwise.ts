/** Derivatives of the elementwise ops: `x` and `y` are operands, `out` is the result. */
import { slope } from '../composites/slope.js';
import {
  abs,
  add,
  cast,
  cos,
  div,
  equal,
  exp,
  less,
  log,
  mul,
  neg,
  pow,
  sigmoid,
  sign,
  sin,
  sub,
  tanh,
  where,
} from '../functions/elementwise.js';
import type { Tensor } from '../tensor.js';
import { isFloat } from '../types.js';
import { bilinear, linear, ofTwo, partials, pointwise, total, unbroadcast, zero } from './combinators.js';
import type { RuleTable } from './rule.js';

/** c · e^{−x²} */
const gaussian = (c: number, x: Tensor): Tensor => mul(c, exp(neg(mul(x, x))));

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

/** 1 where the operand wins, 0 where the other does, ½ on ties; beside a NaN nobody wins. */
const share = (wins: Tensor, ties: Tensor): Tensor => where(ties, 0.5, where(wins, 1, 0));
const isGreater = (x: Tensor, y: Tensor): Tensor => share(less(y, x), equal(x, y));
const isLess = (x: Tensor, y: Tensor): Tensor => share(less(x, y), equal(x, y));

/**
 * ln x, and 0 where x = 0: times xᵖ it is the derivative of xᵖ by p, whose limit at x = 0 is 0 for positive exponents. For
 * p = 0 it is 0 as well, as in JAX; for negative ones, where xᵖ is infinite, NaN.
 */
const logOrZero = (x: Tensor): Tensor => {
  const isZero = equal(x, 0);
  return where(isZero, 0, log(where(isZero, 1, x)));
};

const product = bilinear<unknown>(
  (cotangent, [, y]) => mul(cotangent, y),
  (cotangent, [x]) => mul(cotangent, x),
);

export const elementwiseRules = {
  neg: linear((cotangent) => neg(cotangent)),
  abs: pointwise((x) => sign(x)),
  sign: zero,
  floor: zero,
  exp: pointwise((_, out) => out),
  log: pointwise((x) => div(1, x)),
  log1p: pointwise((x) => div(1, add(1, x))),
  sqrt: pointwise((_, out) => div(0.5, out)),
  rsqrt: pointwise((x, out) => mul(-0.5, div(out, x))),
  sin: pointwise((x) => cos(x)),
  cos: pointwise((x) => neg(sin(x))),
  tanh: pointwise((x) => tanhSlope(x)),
  sigmoid: pointwise((x) => sigmoidSlope(x)),
  erf: pointwise((x) => gaussian(2 / Math.sqrt(Math.PI), x)),
  erfc: pointwise((x) => gaussian(-2 / Math.sqrt(Math.PI), x)),
  isFinite: zero,
  not: zero,
  cast: {
    jvp: ({ tangents: [dx], attributes: { dtype } }) => (isFloat(dtype) ? cast(dx, dtype) : undefined),
    transpose: ({ cotangent, inputs: [x] }) => [cast(cotangent, x.dtype)],
  },
  add: {
    jvp: ({ tangents: [dx, dy], output }) => total(output.shape, dx, dy),
    transpose: ofTwo(
      (cotangent) => cotangent,
      (cotangent) => cotangent,
    ),
  },
  sub: {
    jvp: ({ tangents: [dx, dy], output }) =>
      total(output.shape, dx && dy ? sub(dx, dy) : (dx ?? (dy && neg(dy)))),
    transpose: ofTwo(
      (cotangent) => cotangent,
      (cotangent) => neg(cotangent),
    ),
  },
  mul: {
    ...product,
    jvp: (context) => {
      const [x, y] = context.inputs;
      const [dx] = context.tangents;
      // A square has one product rule term, not two equal ones.
      return dx && x === y ? mul(dx, mul(2, x)) : product.jvp(context);
    },
  },
  /** Linear in the dividend. */
  div: {
    jvp: ({ inputs: [, y], tangents: [dx, dy], output }) => {
      const change = dy && mul(output, dy);
      const moved = dx && change ? sub(dx, change) : (dx ?? (change && neg(change)));
      return moved && total(output.shape, div(moved, y));
    },
    transpose: ({ cotangent, inputs: [x, y] }) => [unbroadcast(div(cotangent, y), x.shape), undefined],
  },
  pow: partials(
    // Where p = 0 and x is a number the derivative is 0, also at x = 0, where the power p − 1 would be infinite.
    (x, p) => mul(p, pow(x, where(equal(p, 0), 1, sub(p, 1)))),
    (x, _, out) => mul(out, logOrZero(x)),
  ),
  maximum: partials(isGreater, isLess),
  minimum: partials(isLess, isGreater),
  equal: zero,
  less: zero,
  lessEqual: zero,
  and: zero,
  or: zero,
  /** Linear in the branches. */
  select: {
    jvp: ({ inputs: [condition], tangents: [, da, db], output }) =>
      da || db ? total(output.shape, where(condition, da ?? 0, db ?? 0)) : undefined,
    transpose: ({ cotangent, inputs: [condition, a, b], linear: [, ofA, ofB] }) => [
      undefined,
      ofA ? unbroadcast(where(condition, cotangent, 0), a.shape) : undefined,
      ofB ? unbroadcast(where(condition, 0, cotangent), b.shape) : undefined,
    ],
  },
} satisfies Partial<RuleTable>;
