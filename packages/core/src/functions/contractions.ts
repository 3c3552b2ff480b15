/** Sums of products: matrix products, contractions by name, convolutions. */
import { apply, inContext } from '../apply.js';
import { checkOptions } from '../check-options.js';
import { ArgumentError, ShapeError } from '../errors.js';
import type { ConvWindow, DotDimensions } from '../ops/attributes.js';
import { freeAxes } from '../ops/dot.js';
import type { Tensor } from '../tensor.js';
import { formatShape } from '../types.js';
import { transpose } from './shaping.js';

/** Sum of products over paired axes; see {@link DotDimensions}. Result axes: batch, left free, right free. */
export function dotGeneral(lhs: Tensor, rhs: Tensor, dimensions: DotDimensions): Tensor {
  // The caller's lists may change afterwards.
  return apply('dotGeneral', [lhs, rhs], () => {
    checkOptions<DotDimensions>('dotGeneral', dimensions, {
      lhsBatch: true,
      rhsBatch: true,
      lhsContracting: true,
      rhsContracting: true,
    });
    return {
      lhsBatch: [...dimensions.lhsBatch],
      rhsBatch: [...dimensions.rhsBatch],
      lhsContracting: [...dimensions.lhsContracting],
      rhsContracting: [...dimensions.rhsContracting],
    };
  });
}
/**
 * Matrix product `[...batch, m, k] × [...batch, k, n] → [...batch, m, n]`. A rank-2 right operand multiplies every
 * row of the left one; otherwise the batch axes must be equal.
 */
export function matmul(lhs: Tensor, rhs: Tensor): Tensor {
  return inContext('matmul', [lhs, rhs], () => {
    if (lhs.rank < 1 || rhs.rank < 2)
      throw new ShapeError('needs a left operand of rank ≥ 1 and a right one of rank ≥ 2.');
    const batch = rhs.rank === 2 ? [] : Array.from({ length: rhs.rank - 2 }, (_, axis) => axis);
    if (batch.length > 0 && lhs.rank !== rhs.rank) {
      throw new ShapeError('batched operands need equal ranks; reshape or broadcastTo first.');
    }
    return dotGeneral(lhs, rhs, {
      lhsBatch: batch,
      rhsBatch: batch,
      lhsContracting: [lhs.rank - 1],
      rhsContracting: [rhs.rank - 2],
    });
  });
}

/**
 * Contraction by name, for two operands: `einsum('bqhd,bkhd->bhqk', q, k)`. Letters that both operands and the result
 * share are batch axes, letters that only the operands share are summed.
 */
export function einsum(equation: string, lhs: Tensor, rhs: Tensor): Tensor {
  return inContext(`einsum "${equation}"`, [lhs, rhs], () => {
    const match = /^([a-z]+),([a-z]+)->([a-z]*)$/.exec(equation.replaceAll(' ', ''));
    if (match === null) throw new ArgumentError('an equation reads like "ik,kj->ij".');
    const [left, right, out] = match.slice(1).map((letters) => [...letters]) as [
      string[],
      string[],
      string[],
    ];
    for (const [letters, operand] of [
      [left, lhs],
      [right, rhs],
    ] as const) {
      if (letters.length !== operand.rank || new Set(letters).size !== letters.length) {
        throw new ShapeError(
          `"${letters.join('')}" needs one distinct letter per axis of ${formatShape(operand.shape)}.`,
        );
      }
    }
    const shared = left.filter((letter) => right.includes(letter));
    const batch = shared.filter((letter) => out.includes(letter));
    const contracting = shared.filter((letter) => !out.includes(letter));
    const axes = (letters: string[], chosen: string[]) => chosen.map((letter) => letters.indexOf(letter));
    const dimensions = {
      lhsBatch: axes(left, batch),
      rhsBatch: axes(right, batch),
      lhsContracting: axes(left, contracting),
      rhsContracting: axes(right, contracting),
    };
    const natural = [
      ...batch,
      ...freeAxes(left.length, dimensions.lhsBatch, dimensions.lhsContracting).map((axis) => left[axis]!),
      ...freeAxes(right.length, dimensions.rhsBatch, dimensions.rhsContracting).map((axis) => right[axis]!),
    ];
    if (natural.length !== out.length || !out.every((letter) => natural.includes(letter))) {
      throw new ArgumentError(`the result "${out.join('')}" must name each of "${natural.join('')}" once.`);
    }
    const product = dotGeneral(lhs, rhs, dimensions);
    return natural.join() === out.join() ? product : transpose(product, axes(natural, out));
  });
}

/**
 * Cross-correlation of `[batch, channels, ...space]` with `[features, channels / groups, ...window]`.
 *
 * @param window strides and dilations default to 1, padding to 0, groups to 1
 */
export function conv(x: Tensor, kernel: Tensor, window: Partial<ConvWindow> = {}): Tensor {
  return apply('conv', [x, kernel], () => {
    checkOptions<Partial<ConvWindow>>('conv', window, {
      strides: true,
      padding: true,
      lhsDilation: true,
      rhsDilation: true,
      groups: true,
    });
    const spatial = x.shape.slice(2);
    const perAxis = (given: readonly number[] | undefined) => (given ? [...given] : spatial.map(() => 1));
    return {
      strides: perAxis(window.strides),
      padding:
        window.padding?.map(([low, high]) => [low, high] as const) ?? spatial.map(() => [0, 0] as const),
      lhsDilation: perAxis(window.lhsDilation),
      rhsDilation: perAxis(window.rhsDilation),
      groups: window.groups ?? 1,
    };
  });
}
