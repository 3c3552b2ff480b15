/**
 * Derivatives of the ops that move, sum and choose elements. Moving and summing are linear, and transpose into one another.
 */
import { cast, div, equal, mul } from '../functions/elementwise.js';
import { gatherOrZero, scatterAdd } from '../functions/indexing.js';
import { sum } from '../functions/reductions.js';
import { broadcastTo, concat, pad, reshape, reverse, slice, transpose } from '../functions/shaping.js';
import type { Tensor } from '../tensor.js';
import { sizeOf, type Shape } from '../types.js';
import { linear, unbroadcast, zero } from './combinators.js';
import type { Rule, RuleTable } from './rule.js';

/** A reduced value repeated along the reduced axes, back in the operand's shape. */
function spread(reduced: Tensor, shape: Shape, axes: readonly number[]): Tensor {
  const kept = shape.map((dimension, axis) => (axes.includes(axis) ? 1 : dimension));
  return broadcastTo(reshape(reduced, kept), shape);
}

const concatRule: Rule<'concat'> = {
  // Where an operand has no tangent its stretch is padding of a neighbour: no tensor of zeros is made.
  jvp: ({ inputs, tangents, attributes: { axis } }) => {
    const moving: { tangent: Tensor; low: number; high: number }[] = [];
    let still = 0;
    inputs.forEach(({ shape }, i) => {
      const tangent = tangents[i];
      if (tangent !== undefined) moving.push({ tangent, low: still, high: 0 });
      still = tangent === undefined ? still + shape[axis]! : 0;
    });
    moving.forEach((piece, i) => (piece.high = i === moving.length - 1 ? still : 0));
    const pieces = moving.map(({ tangent, low, high }) => {
      const along = (n: number) => tangent.shape.map((_, a) => (a === axis ? n : 0));
      return low + high === 0 ? tangent : pad(tangent, { low: along(low), high: along(high) });
    });
    return pieces.length === 1 ? pieces[0] : concat(pieces, axis);
  },
  transpose: ({ cotangent, inputs, linear, attributes: { axis } }) => {
    let end = 0;
    return inputs.map(({ shape }, i) => {
      const start = end;
      end += shape[axis]!;
      if (!linear[i]) return undefined;
      const starts = shape.map((_, a) => (a === axis ? start : 0));
      const limits = cotangent.shape.map((n, a) => (a === axis ? end : n));
      return slice(cotangent, starts, limits);
    });
  },
};

export const movementRules = {
  reshape: linear((cotangent, [x]) => reshape(cotangent, x.shape)),
  transpose: linear((cotangent, _, { permutation }) =>
    transpose(
      cotangent,
      permutation.map((_, axis) => permutation.indexOf(axis)),
    ),
  ),
  broadcastTo: linear((cotangent, [x]) => unbroadcast(cotangent, x.shape)),
  slice: linear((cotangent, [x], { starts, strides }) => {
    const covered = cotangent.shape.map((n, axis) => (n === 0 ? 0 : (n - 1) * strides[axis]! + 1));
    const high = x.shape.map((dimension, axis) => dimension - starts[axis]! - covered[axis]!);
    return pad(cotangent, { low: starts, high, interior: strides.map((stride) => stride - 1) });
  }),
  pad: linear((cotangent, _, { low, high, interior }) =>
    slice(
      cotangent,
      low,
      cotangent.shape.map((dimension, axis) => dimension - high[axis]!),
      interior.map((n) => n + 1),
    ),
  ),
  concat: concatRule,
  reverse: linear((cotangent, _, { axes }) => reverse(cotangent, axes)),

  reduceSum: linear((cotangent, [x], { axes }) => spread(cotangent, x.shape, axes)),
  /** Ties share the derivative equally. */
  reduceMax: {
    jvp: ({ inputs: [x], tangents: [dx], output, attributes: { axes } }) => {
      // The maximum of nothing is a constant; the quotient below would be 0 / 0.
      if (sizeOf(x.shape) === 0) return undefined;
      const isMaximum = cast(equal(x, spread(output, x.shape, axes)), x.dtype);
      return div(sum(mul(dx, isMaximum), axes), sum(isMaximum, axes));
    },
  },
  argMax: zero,

  /** Linear in the table; a row that is missing is a constant. */
  gather: {
    jvp: ({ inputs: [, indices], tangents: [dt] }) => dt && gatherOrZero(dt, indices),
    transpose: ({ cotangent, inputs: [table, indices] }) => [
      scatterAdd(cotangent, indices, table.shape[0]!),
      undefined,
    ],
  },
  /** Linear in the updates. */
  scatterAdd: {
    jvp: ({ inputs: [, indices], tangents: [du], apply }) => du && apply([du, indices]),
    transpose: ({ cotangent, inputs: [, indices] }) => [gatherOrZero(cotangent, indices), undefined],
  },
} satisfies Partial<RuleTable>;
