/** Elementwise ops, most of them one ONNX node of the same meaning, with the same broadcasting. */
import { elementTypes, type ValueName } from '../onnx/model.js';
import type { ModelBuilder } from '../onnx/model-builder.js';
import { erfc, log1p, sigmoid } from './accurate-functions.js';
import type { Elementwise, Lowering, Lowerings } from './lowering.js';

const direct =
  (op: string): Elementwise<'any'> =>
  ({ builder, inputs }) =>
    builder.node(
      op,
      inputs.map(({ name }) => name),
    );

const rsqrt: Elementwise<1> = ({ builder, inputs: [x] }) =>
  builder.node('Reciprocal', [builder.node('Sqrt', [x.name])]);

/** |x| < ∞, which is false for NaN as well. */
const isFinite: Elementwise<1> = ({ builder, inputs: [x] }) =>
  builder.node('Less', [builder.node('Abs', [x.name]), builder.scalar('float32', Infinity)]);

/**
 * Integer division stops the process on x86 when dividing by 0 or the smallest integer by −1. These quotients are
 * taken around it: x / 0 is 0 and x / −1 is −x (which wraps), as in the reference.
 */
const div: Elementwise<2> = (context) => {
  const { builder, inputs } = context;
  const [x, y] = inputs;
  const isSafe = y.scalar !== undefined && y.scalar !== 0 && y.scalar !== -1;
  if (x.dtype === 'float32' || isSafe) return direct('Div')(context);
  const int = (value: number) => builder.scalar('int32', value);
  const isZero = builder.node('Equal', [y.name, int(0)]);
  const isMinusOne = builder.node('Equal', [y.name, int(-1)]);
  const divisor = builder.node('Where', [
    isZero,
    int(1),
    builder.node('Where', [isMinusOne, int(1), y.name]),
  ]);
  const quotient = builder.node('Div', [x.name, divisor]);
  const negated = builder.node('Where', [isMinusOne, builder.node('Sub', [int(0), quotient]), quotient]);
  return builder.node('Where', [isZero, int(0), negated]);
};

/** ONNX Runtime has no Where for bool: there it is (c ∧ x) ∨ (¬c ∧ y). */
const select: Elementwise<3> = (context) => {
  const { builder, inputs } = context;
  const [condition, x, y] = inputs;
  if (x.dtype !== 'bool') return direct('Where')(context);
  const chosen = builder.node('And', [condition.name, x.name]);
  const other = builder.node('And', [builder.node('Not', [condition.name]), y.name]);
  return builder.node('Or', [chosen, other]);
};

export const elementwise = {
  neg: direct('Neg'),
  abs: direct('Abs'),
  sign: direct('Sign'),
  floor: direct('Floor'),
  exp: direct('Exp'),
  log: direct('Log'),
  log1p,
  sqrt: direct('Sqrt'),
  rsqrt,
  sin: direct('Sin'),
  cos: direct('Cos'),
  tanh: direct('Tanh'),
  sigmoid,
  erf: direct('Erf'),
  erfc,
  isFinite,
  not: direct('Not'),
  add: direct('Add'),
  sub: direct('Sub'),
  mul: direct('Mul'),
  div,
  pow: direct('Pow'),
  maximum: direct('Max'),
  minimum: direct('Min'),
  equal: direct('Equal'),
  less: direct('Less'),
  lessEqual: direct('LessOrEqual'),
  and: direct('And'),
  or: direct('Or'),
  select,
} as const satisfies Partial<Lowerings>;

export function castTo(builder: ModelBuilder, x: ValueName, dtype: keyof typeof elementTypes): ValueName {
  return builder.node('Cast', [x], { attributes: { to: BigInt(elementTypes[dtype]) } });
}

/** The largest float that is an int32; the next is 2³¹. */
const LARGEST = 2 ** 31 - 2 ** 7;

/**
 * A conversion as in C++, toward zero to int32 and ≠ 0 to bool. It leaves open what becomes of NaN and of floats beyond
 * int32, so these do not come to it.
 */
export const cast: Lowering<'cast'> = ({ builder, inputs: [x], attributes: { dtype } }) => {
  if (x.dtype !== 'float32' || dtype !== 'int32') return castTo(builder, x.name, dtype);
  const float = (value: number) => builder.scalar('float32', value);
  const int = (value: number) => builder.scalar('int32', value);
  const choose = (condition: ValueName, yes: ValueName, no: ValueName) =>
    builder.node('Where', [condition, yes, no]);
  const isInside = builder.node('Less', [builder.node('Abs', [x.name]), float(2 ** 31)]);
  const inside = castTo(builder, choose(isInside, x.name, float(0)), 'int32');
  const raised = choose(builder.node('Less', [x.name, float(-LARGEST)]), int(-(2 ** 31)), inside);
  return choose(builder.node('Less', [float(LARGEST), x.name]), int(2 ** 31 - 1), raised);
};
