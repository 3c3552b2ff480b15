/**
 * The forms that most derivatives have. An op that is linear is its own tangent, so that only its transpose is left to
 * say; a bilinear one obeys the product rule, and is transposed in one operand at a time; what does not move with its
 * operands has no tangent; and of the others the partial derivatives are enough.
 */
import { add, mul } from '../functions/elementwise.js';
import { sum } from '../functions/reductions.js';
import { broadcastTo, reshape } from '../functions/shaping.js';
import type { Operands } from '../ops/attributes.js';
import type { Tangent, Tensor } from '../tensor.js';
import { sameShape, type Shape } from '../types.js';
import type { OpRule, TransposeContext } from './rule.js';

/** The cotangent of an operand, from the output's. */
type Cotangent<N extends 1 | 2 | 3, A> = (
  cotangent: Tensor,
  inputs: Operands<N, Tensor>,
  attributes: A,
) => Tensor;

/** The output does not move with the operands: comparisons, rounding, integers. */
export const zero = { jvp: (): undefined => undefined };

/** Linear in its operand. */
export function linear<A>(transpose: Cotangent<1, A>): OpRule<1, A> {
  return {
    jvp: ({ tangents, apply }) => apply(tangents),
    transpose: ({ cotangent, inputs, attributes }) => [transpose(cotangent, inputs, attributes)],
  };
}

/** Linear in either operand while the other is fixed. */
export function bilinear<A>(left: Cotangent<2, A>, right: Cotangent<2, A>): OpRule<2, A> {
  return {
    jvp: ({ inputs: [x, y], tangents: [dx, dy], output, apply }) =>
      total(output.shape, dx && apply([dx, y]), dy && apply([x, dy])),
    transpose: ofTwo(left, right),
  };
}

/** Elementwise, of one operand: `dy/dx` as an expression of the operand `x` and the result `y`. */
export function pointwise(derivative: (x: Tensor, y: Tensor) => Tensor): OpRule<1, unknown> {
  return { jvp: ({ inputs: [x], tangents: [dx], output }) => mul(dx, derivative(x, output)) };
}

/** Elementwise, of two operands, and linear in neither: `dx·fx + dy·fy`, computing only what is needed. */
export function partials(
  fx: (x: Tensor, y: Tensor, out: Tensor) => Tensor,
  fy: (x: Tensor, y: Tensor, out: Tensor) => Tensor,
): OpRule<2, unknown> {
  return {
    jvp: ({ inputs: [x, y], tangents: [dx, dy], output }) =>
      total(output.shape, dx && mul(dx, fx(x, y, output)), dy && mul(dy, fy(x, y, output))),
  };
}

/** The sum of the tangents that are present, in the output's shape. */
export function total(shape: Shape, ...terms: Tangent[]): Tangent {
  const present = terms.filter((term) => term !== undefined);
  if (present.length === 0) return undefined;
  const result = present.reduce((a, b) => add(a, b));
  return sameShape(result.shape, shape) ? result : broadcastTo(result, shape);
}

/** The transpose of an op of two operands: the cotangent of each that is linear, reduced to its operand's shape. */
export function ofTwo<A>(left: Cotangent<2, A>, right: Cotangent<2, A>) {
  return (context: TransposeContext<2, A>): Operands<2, Tangent> => {
    const { cotangent, inputs, linear, attributes } = context;
    const [x, y] = inputs;
    return [
      linear[0] ? unbroadcast(left(cotangent, inputs, attributes), x.shape) : undefined,
      linear[1] ? unbroadcast(right(cotangent, inputs, attributes), y.shape) : undefined,
    ];
  };
}

/** The transpose of broadcasting: sums a cotangent over the axes along which its operand was repeated. */
export function unbroadcast(cotangent: Tensor, shape: Shape): Tensor {
  if (sameShape(cotangent.shape, shape)) return cotangent;
  const lead = cotangent.rank - shape.length;
  const axes = cotangent.shape
    .map((_, axis) => axis)
    .filter((axis) => axis < lead || (shape[axis - lead] === 1 && cotangent.shape[axis] !== 1));
  return reshape(sum(cotangent, axes), shape);
}
