/**
 * Elementwise ops of several operands, with NumPy broadcasting: arithmetic, comparison, logic and selection.
 */
import { DTypeError } from '../errors.js';
import { add, broadcastTo, div, equal, less, log, mul, neg, pow, sub, where } from '../functions.js';
import { power } from '../special-values.js';
import type { Tensor } from '../tensor.js';
import { sameShape, sizeOf, type DType, type Shape, type TensorType } from '../types.js';
import type { None } from './attributes.js';
import { broadcastIndices, broadcastShapes, unbroadcast } from './broadcasting.js';
import {
  allocate,
  noTangent,
  type JvpContext,
  type OpDefinition,
  type RefValue,
  type Tangent,
  type TransposeContext,
} from './definition.js';

type Derivative = Pick<OpDefinition<None>, 'jvp' | 'transpose'>;

interface Binary {
  readonly dtypes: readonly DType[];
  readonly result?: DType;
  readonly value: (a: number, b: number) => number;
  /** On int32, where it differs from the float function. */
  readonly intValue?: (a: number, b: number) => number;
}

function binary({ dtypes, result, value, intValue }: Binary, derivative: Derivative): OpDefinition<None> {
  return {
    ...derivative,
    infer: ([a, b]) => {
      if (a.dtype !== b.dtype || !dtypes.includes(a.dtype)) {
        throw new DTypeError(
          `takes two operands of one dtype (${dtypes.join(' or ')}), got ${a.dtype} and ${b.dtype}.`,
        );
      }
      return { dtype: result ?? a.dtype, shape: broadcastShapes([a.shape, b.shape]) };
    },
    evaluate: ([a, b], _, type) => zipInto(a, b, type, a.dtype === 'int32' && intValue ? intValue : value),
    flops: (_, output) => sizeOf(output.shape),
  };
}

function zipInto(a: RefValue, b: RefValue, type: TensorType, f: (a: number, b: number) => number) {
  const out = allocate(type.dtype, sizeOf(type.shape));
  const [ia, ib] = [broadcastIndices(a.shape, type.shape), broadcastIndices(b.shape, type.shape)];
  for (let i = 0; i < out.length; i++) out[i] = f(a.data[ia[i]], b.data[ib[i]]);
  return out;
}

const ARITHMETIC: readonly DType[] = ['float32', 'int32'];

/** The sum of the tangents that are present, in the output's shape. */
function total(shape: Shape, ...terms: Tangent[]): Tangent {
  const present = terms.filter((term) => term !== undefined);
  if (present.length === 0) return undefined;
  const result = present.reduce((a, b) => add(a, b));
  return sameShape(result.shape, shape) ? result : broadcastTo(result, shape);
}

/** Cotangents of the linear operands, each reduced to its operand's shape. */
function perOperand(context: TransposeContext<None>, ...parts: (() => Tensor)[]): Tangent[] {
  return parts.map((part, i) =>
    context.linear[i] ? unbroadcast(part(), context.inputs[i].shape) : undefined,
  );
}

/** ∂/∂x and ∂/∂y of a function that is linear in neither: `dx·fx + dy·fy`, computing only what is needed. */
function byPartials(
  fx: (x: Tensor, y: Tensor, out: Tensor) => Tensor,
  fy: (x: Tensor, y: Tensor, out: Tensor) => Tensor,
): Derivative {
  return {
    jvp: ({ inputs: [x, y], tangents: [dx, dy], output }) =>
      total(output.shape, dx && mul(dx, fx(x, y, output)), dy && mul(dy, fy(x, y, output))),
  };
}

const notDifferentiable: Derivative = { jvp: noTangent };

/** 1 where a wins, 0 where b wins, ½ on ties; beside a NaN nobody wins. */
const share = (wins: Tensor, ties: Tensor): Tensor => where(ties, 0.5, where(wins, 1, 0));

/**
 * ln x, and 0 where x = 0: times xᵖ it is the derivative of xᵖ by p, whose limit at x = 0 is 0 for positive exponents. For
 * p = 0 it is 0 as well, as in JAX; for negative ones, where xᵖ is infinite, NaN.
 */
const logOrZero = (x: Tensor): Tensor => {
  const isZero = equal(x, 0);
  return where(isZero, 0, log(where(isZero, 1, x)));
};

function mulJvp({ inputs: [x, y], tangents: [dx, dy], output }: JvpContext<None>): Tangent {
  // A square has one product rule term, not two equal ones.
  if (x === y) return mul(dx!, mul(2, x));
  return total(output.shape, dx && mul(dx, y), dy && mul(x, dy));
}

export const binaryOps = {
  add: binary(
    { dtypes: ARITHMETIC, value: (a, b) => a + b, intValue: (a, b) => (a + b) | 0 },
    {
      jvp: ({ tangents: [dx, dy], output }) => total(output.shape, dx, dy),
      transpose: (context) =>
        perOperand(
          context,
          () => context.cotangent,
          () => context.cotangent,
        ),
    },
  ),
  sub: binary(
    { dtypes: ARITHMETIC, value: (a, b) => a - b, intValue: (a, b) => (a - b) | 0 },
    {
      jvp: ({ tangents: [dx, dy], output }) =>
        total(output.shape, dx && dy ? sub(dx, dy) : (dx ?? (dy && neg(dy)))),
      transpose: (context) =>
        perOperand(
          context,
          () => context.cotangent,
          () => neg(context.cotangent),
        ),
    },
  ),
  mul: binary(
    { dtypes: ARITHMETIC, value: (a, b) => a * b, intValue: Math.imul },
    {
      jvp: mulJvp,
      transpose: (context) =>
        perOperand(
          context,
          () => mul(context.cotangent, context.inputs[1]),
          () => mul(context.cotangent, context.inputs[0]),
        ),
    },
  ),
  // Of int32 the quotient is cut toward zero; x / 0 is 0, and the least int32 by −1 is itself, as its negation is.
  div: binary(
    { dtypes: ARITHMETIC, value: (a, b) => a / b, intValue: (a, b) => Math.trunc(a / b) },
    {
      jvp: ({ inputs: [, y], tangents: [dx, dy], output }) => {
        const change = dy && mul(output, dy);
        if (change === undefined) return total(output.shape, div(dx!, y));
        return total(output.shape, div(dx ? sub(dx, change) : neg(change), y));
      },
      transpose: (context) => perOperand(context, () => div(context.cotangent, context.inputs[1])),
    },
  ),
  pow: binary(
    { dtypes: ['float32'], value: power },
    byPartials(
      // Where p = 0 and x is a number the derivative is 0, also at x = 0, where the power p − 1 would be infinite.
      (x, p) => mul(p, pow(x, where(equal(p, 0), 1, sub(p, 1)))),
      (x, _, y) => mul(y, logOrZero(x)),
    ),
  ),
  // A NaN is the greatest and the least of all; 0 is greater than −0.
  maximum: binary(
    { dtypes: ARITHMETIC, value: Math.max },
    byPartials(
      (x, y) => share(less(y, x), equal(x, y)),
      (x, y) => share(less(x, y), equal(x, y)),
    ),
  ),
  minimum: binary(
    { dtypes: ARITHMETIC, value: Math.min },
    byPartials(
      (x, y) => share(less(x, y), equal(x, y)),
      (x, y) => share(less(y, x), equal(x, y)),
    ),
  ),
  equal: binary(
    { dtypes: ['float32', 'int32', 'bool'], result: 'bool', value: (a, b) => Number(a === b) },
    notDifferentiable,
  ),
  less: binary({ dtypes: ARITHMETIC, result: 'bool', value: (a, b) => Number(a < b) }, notDifferentiable),
  lessEqual: binary(
    { dtypes: ARITHMETIC, result: 'bool', value: (a, b) => Number(a <= b) },
    notDifferentiable,
  ),
  and: binary({ dtypes: ['bool'], value: (a, b) => a & b }, notDifferentiable),
  or: binary({ dtypes: ['bool'], value: (a, b) => a | b }, notDifferentiable),
} as const satisfies Record<string, OpDefinition<None>>;

/** `condition ? a : b`, elementwise. */
export const select: OpDefinition<None> = {
  infer: ([condition, a, b]) => {
    if (condition.dtype !== 'bool') throw new DTypeError(`takes a bool condition, got ${condition.dtype}.`);
    if (a.dtype !== b.dtype)
      throw new DTypeError(`takes two branches of one dtype, got ${a.dtype} and ${b.dtype}.`);
    return { dtype: a.dtype, shape: broadcastShapes([condition.shape, a.shape, b.shape]) };
  },
  jvp: ({ inputs: [condition], tangents: [, da, db], output }) => {
    if (da === undefined && db === undefined) return undefined;
    return total(output.shape, where(condition, da ?? 0, db ?? 0));
  },
  transpose: (context) => {
    const { cotangent, inputs } = context;
    return perOperand(
      context,
      () => cotangent,
      () => where(inputs[0], cotangent, 0),
      () => where(inputs[0], 0, cotangent),
    );
  },
  evaluate: ([condition, a, b], _, type) => {
    const out = allocate(type.dtype, sizeOf(type.shape));
    const [ic, ia, ib] = [condition, a, b].map((operand) => broadcastIndices(operand.shape, type.shape));
    for (let i = 0; i < out.length; i++) out[i] = condition.data[ic[i]] !== 0 ? a.data[ia[i]] : b.data[ib[i]];
    return out;
  },
  flops: (_, output) => sizeOf(output.shape),
};
