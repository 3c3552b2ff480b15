/**
 * Functions that ONNX Runtime has no operator for, or one that is accurate to a few units in the last place of 1, so that
 * their tails are lost: the Sigmoid of its CPU provider is 0 below −18. These are accurate relative to their values.
 */
import type { ValueName } from '../onnx/model.js';
import type { ModelBuilder } from '../onnx/model-builder.js';
import type { Elementwise } from './lowering.js';

/** Arithmetic on values of a model. */
function arithmetic(builder: ModelBuilder) {
  const node =
    (op: string) =>
    (...inputs: ValueName[]): ValueName =>
      builder.node(op, inputs);
  const number = (value: number): ValueName => builder.scalar('float32', value);
  const [add, mul] = [node('Add'), node('Mul')];
  /** c₀ + z (c₁ + z (c₂ + …)) */
  const polynomial = (z: ValueName, [first = 0, ...rest]: readonly number[]): ValueName =>
    rest.length === 0 ? number(first) : add(mul(polynomial(z, rest), z), number(first));
  return { node, number, add, mul, polynomial };
}

/** 1 / (1 + e^{−x}), as it stands. */
export const sigmoid: Elementwise<1> = ({ builder, inputs: [x] }) => {
  const { node, number, add } = arithmetic(builder);
  return node('Reciprocal')(add(node('Exp')(node('Neg')(x.name)), number(1)));
};

/** An odd function by its operator, but for x · p(x²) where |x| < `until`: there the operator's terms cancel. */
export const oddNearZero =
  (op: string, until: number, coefficients: readonly number[]): Elementwise<1> =>
  ({ builder, inputs: [x] }) => {
    const { node, number, mul, polynomial } = arithmetic(builder);
    const small = mul(x.name, polynomial(mul(x.name, x.name), coefficients));
    const isSmall = node('Less')(node('Abs')(x.name), number(until));
    return node('Where')(isSmall, small, node(op)(x.name));
  };

/** Coefficients of artanh(s) / s in powers of s². */
const ARTANH = [1, 1 / 3, 1 / 5, 1 / 7, 1 / 9, 1 / 11, 1 / 13];

/** 2 artanh s for s = x / (2 + x) where |x| < ½; log(1 + x) elsewhere. */
export const log1pWith =
  (log: Elementwise<1>): Elementwise<1> =>
  ({ builder, inputs: [x] }) => {
    const { node, number, add, mul, polynomial } = arithmetic(builder);
    const s = node('Div')(x.name, add(x.name, number(2)));
    const small = mul(mul(s, number(2)), polynomial(mul(s, s), ARTANH));
    const large = log({ builder, inputs: [{ ...x, name: add(x.name, number(1)) }] });
    const isSmall = node('Less')(node('Abs')(x.name), number(0.5));
    return node('Where')(isSmall, small, large);
  };

export const log1p = log1pWith(({ builder, inputs: [x] }) => builder.node('Log', [x.name]));

/** Of ln(erfc(a) / t) + a² in powers of t = 1 / (1 + a/2): Numerical Recipes, section 6.2 (erfcc), to 2 roundings. */
const ERFC = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
  -0.82215223, 0.17087277,
];

/** Beyond it erfc is 0 in float32. */
const LARGEST = 12;

export const erfcWith =
  (exp: Elementwise<1>): Elementwise<1> =>
  ({ builder, inputs: [x] }) => {
    const { node, number, add, mul, polynomial } = arithmetic(builder);
    const [sub, choose] = [node('Sub'), node('Where')];
    const magnitude = node('Abs')(x.name);
    const a = choose(node('Less')(number(LARGEST), magnitude), number(LARGEST), magnitude);
    const t = node('Reciprocal')(add(mul(a, number(0.5)), number(1)));
    const exponent = sub(polynomial(t, ERFC), mul(a, a));
    const value = mul(t, exp({ builder, inputs: [{ ...x, name: exponent }] }));
    return choose(node('Less')(x.name, number(0)), sub(number(2), value), value);
  };

export const erfc = erfcWith(({ builder, inputs: [x] }) => builder.node('Exp', [x.name]));
