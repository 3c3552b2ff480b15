/**
 * The derivative of `dotGeneral`, which is bilinear: the cotangent of one operand contracts the output's with the other
 * operand, over the other's free axes.
 */
import { dotGeneral } from '../functions/contractions.js';
import { transpose } from '../functions/shaping.js';
import { freeAxes } from '../ops/dot.js';
import type { Tensor } from '../tensor.js';
import { bilinear } from './combinators.js';
import type { Rule } from './rule.js';

/** The axes of an operand by role: those paired and kept, those paired and summed, and the others. */
interface Axes {
  readonly batch: readonly number[];
  readonly contracting: readonly number[];
  readonly free: readonly number[];
}

function axesOf({ rank }: Tensor, batch: readonly number[], contracting: readonly number[]): Axes {
  return { batch, contracting, free: freeAxes(rank, batch, contracting) };
}

/**
 * @param kept the axes of the operand whose cotangent it is
 * @param otherAxes the axes of the other operand, `other`
 * @param freeStart the first of the other's free axes in the cotangent, whose batch axes come first
 */
function cotangentOf(
  cotangent: Tensor,
  kept: Axes,
  other: Tensor,
  otherAxes: Axes,
  freeStart: number,
): Tensor {
  const otherFreeInCotangent = otherAxes.free.map((_, i) => freeStart + i);
  const batchInCotangent = kept.batch.map((_, i) => i);
  // The other operand's contracting axes arrive in its own axis order; find the kept axis that each pairs with.
  const paired = kept.contracting.map((axis, i) => [otherAxes.contracting[i] ?? axis, axis] as const);
  const keptContracting = paired.sort(([a], [b]) => a - b).map(([, axis]) => axis);
  // Either operand may come first; take the order whose axes already are the kept operand's, if one is.
  const otherFirst = [...kept.batch, ...keptContracting, ...kept.free];
  const cotangentFirst = [...kept.batch, ...kept.free, ...keptContracting];
  const inOrder = (axes: readonly number[]) => axes.every((axis, i) => axis === i);
  const useOtherFirst = inOrder(otherFirst);
  const result = useOtherFirst
    ? dotGeneral(other, cotangent, {
        lhsBatch: otherAxes.batch,
        rhsBatch: batchInCotangent,
        lhsContracting: otherAxes.free,
        rhsContracting: otherFreeInCotangent,
      })
    : dotGeneral(cotangent, other, {
        lhsBatch: batchInCotangent,
        rhsBatch: otherAxes.batch,
        lhsContracting: otherFreeInCotangent,
        rhsContracting: otherAxes.free,
      });
  const order = useOtherFirst ? otherFirst : cotangentFirst;
  return inOrder(order)
    ? result
    : transpose(
        result,
        order.map((_, axis) => order.indexOf(axis)),
      );
}

export const dotGeneralRule: Rule<'dotGeneral'> = bilinear(
  (cotangent, [lhs, rhs], d) => {
    const left = axesOf(lhs, d.lhsBatch, d.lhsContracting);
    const right = axesOf(rhs, d.rhsBatch, d.rhsContracting);
    return cotangentOf(cotangent, left, rhs, right, left.batch.length + left.free.length);
  },
  (cotangent, [lhs, rhs], d) => {
    const left = axesOf(lhs, d.lhsBatch, d.lhsContracting);
    const right = axesOf(rhs, d.rhsBatch, d.rhsContracting);
    return cotangentOf(cotangent, right, lhs, left, left.batch.length);
  },
);
