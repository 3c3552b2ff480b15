/** Elementwise functions, with NumPy broadcasting where there are several operands. Numbers stand for constants. */
import { apply, inContext } from '../apply.js';
import { checkDType } from '../check-dtype.js';
import type { PrimitiveName } from '../ops/attributes.js';
import { Tensor } from '../tensor.js';
import type { DType } from '../types.js';
import { toTensor, type TensorLike } from './sources.js';

type Unary = Extract<PrimitiveName, 'neg' | 'abs' | 'sign' | 'floor' | 'exp' | 'log' | 'log1p' | 'sqrt' | 'rsqrt' | 'sin' | 'cos' | 'tanh' | 'sigmoid' | 'erf' | 'erfc' | 'isFinite' | 'not'>; // prettier-ignore

function unary(op: Unary, x: TensorLike, dtype: DType = 'float32'): Tensor {
  return inContext(op, [x], () => apply(op, [toTensor(x, dtype)], {}));
}

/** −x; of the least int32 itself. */
export function neg(x: TensorLike): Tensor {
  return unary('neg', x);
}
/** |x|, with derivative 0 at 0; of the least int32 itself. */
export function abs(x: TensorLike): Tensor {
  return unary('abs', x);
}
/** −1, 0 or 1; NaN of NaN. */
export function sign(x: TensorLike): Tensor {
  return unary('sign', x);
}
/** The largest whole number that is not greater. */
export function floor(x: TensorLike): Tensor {
  return unary('floor', x);
}
export function exp(x: TensorLike): Tensor {
  return unary('exp', x);
}
/** Natural logarithm. */
export function log(x: TensorLike): Tensor {
  return unary('log', x);
}
/** log(1 + x), accurate where x is small. */
export function log1p(x: TensorLike): Tensor {
  return unary('log1p', x);
}
export function sqrt(x: TensorLike): Tensor {
  return unary('sqrt', x);
}
/** 1 / √x */
export function rsqrt(x: TensorLike): Tensor {
  return unary('rsqrt', x);
}
export function sin(x: TensorLike): Tensor {
  return unary('sin', x);
}
export function cos(x: TensorLike): Tensor {
  return unary('cos', x);
}
export function tanh(x: TensorLike): Tensor {
  return unary('tanh', x);
}
/** The logistic function 1 / (1 + e^{−x}). */
export function sigmoid(x: TensorLike): Tensor {
  return unary('sigmoid', x);
}
/** The error function. */
export function erf(x: TensorLike): Tensor {
  return unary('erf', x);
}
/** 1 − erf(x), accurate where it is small. */
export function erfc(x: TensorLike): Tensor {
  return unary('erfc', x);
}
/** Whether each element is neither infinite nor NaN. */
export function isFinite(x: TensorLike): Tensor {
  return unary('isFinite', x);
}
export function logicalNot(x: Tensor): Tensor {
  return unary('not', x, 'bool');
}
/** x², with one product-rule term in its derivative. */
export function square(x: Tensor): Tensor {
  return mul(x, x);
}
/**
 * Conversion. Floats to int32 go toward zero; beyond the range they are the nearest int32, and NaN is 0. Anything to bool
 * is `x ≠ 0`.
 */
export function cast(x: Tensor, dtype: DType): Tensor {
  if (x.dtype === dtype) return x;
  return apply('cast', [x], () => {
    checkDType('cast', dtype);
    return { dtype };
  });
}

type Binary = Extract<PrimitiveName, 'add' | 'sub' | 'mul' | 'div' | 'pow' | 'maximum' | 'minimum' | 'equal' | 'less' | 'lessEqual' | 'and' | 'or'>; // prettier-ignore

function binary(op: Binary, x: TensorLike, y: TensorLike, fallback: DType = 'float32'): Tensor {
  const dtype = x instanceof Tensor ? x.dtype : y instanceof Tensor ? y.dtype : fallback;
  return inContext(op, [x, y], () => apply(op, [toTensor(x, dtype), toTensor(y, dtype)], {}));
}

/** x + y */
export function add(x: TensorLike, y: TensorLike): Tensor {
  return binary('add', x, y);
}
/** x − y */
export function sub(x: TensorLike, y: TensorLike): Tensor {
  return binary('sub', x, y);
}
/** x · y, elementwise. */
export function mul(x: TensorLike, y: TensorLike): Tensor {
  return binary('mul', x, y);
}
/** x / y; on int32 it truncates toward zero, and x / 0 is 0. */
export function div(x: TensorLike, y: TensorLike): Tensor {
  return binary('div', x, y);
}
/**
 * xᵖ for float32, as C's `pow`: x⁰ and 1ᵖ are 1 whatever the other operand, NaN included. The exponents ±1, 2 and ±½,
 * given as numbers, use multiplication, division and roots, which differ from it in the root of −∞ (NaN, not ∞) and in
 * the sign of a root of −0.
 */
export function pow(x: TensorLike, exponent: TensorLike): Tensor {
  if (x instanceof Tensor && typeof exponent === 'number') {
    if (exponent === 1) return x;
    if (exponent === 2) return mul(x, x);
    if (exponent === 0.5) return sqrt(x);
    if (exponent === -0.5) return rsqrt(x);
    if (exponent === -1) return div(1, x);
  }
  return binary('pow', x, exponent);
}
/** The greater of the two; NaN where either is. Ties share the derivative equally. */
export function maximum(x: TensorLike, y: TensorLike): Tensor {
  return binary('maximum', x, y);
}
/** The lesser of the two; NaN where either is. Ties share the derivative equally. */
export function minimum(x: TensorLike, y: TensorLike): Tensor {
  return binary('minimum', x, y);
}
/** x limited to [low, high]; NaN where an operand is. At a limit the derivative is ½. */
export function clip(x: TensorLike, low: TensorLike, high: TensorLike): Tensor {
  return minimum(maximum(x, low), high);
}
export function equal(x: TensorLike, y: TensorLike): Tensor {
  return binary('equal', x, y);
}
export function notEqual(x: TensorLike, y: TensorLike): Tensor {
  return logicalNot(equal(x, y));
}
/** x < y */
export function less(x: TensorLike, y: TensorLike): Tensor {
  return binary('less', x, y);
}
/** x ≤ y */
export function lessEqual(x: TensorLike, y: TensorLike): Tensor {
  return binary('lessEqual', x, y);
}
/** x > y */
export function greater(x: TensorLike, y: TensorLike): Tensor {
  return less(y, x);
}
/** x ≥ y */
export function greaterEqual(x: TensorLike, y: TensorLike): Tensor {
  return lessEqual(y, x);
}
export function logicalAnd(x: Tensor, y: Tensor): Tensor {
  return binary('and', x, y);
}
export function logicalOr(x: Tensor, y: Tensor): Tensor {
  return binary('or', x, y);
}
/** `condition ? x : y`, elementwise, with broadcasting. What is not chosen leaves no trace, a NaN neither. */
export function where(condition: Tensor, x: TensorLike, y: TensorLike): Tensor {
  const dtype = x instanceof Tensor ? x.dtype : y instanceof Tensor ? y.dtype : 'float32';
  return inContext('where', [condition, x, y], () =>
    apply('select', [condition, toTensor(x, dtype), toTensor(y, dtype)], {}),
  );
}
