/**
 * dotGeneral: the one contraction. Batch axes are paired and kept, contracting axes are paired and summed, and the
 * result's axes are the batch axes, then the free axes of the left operand, then those of the right.
 */
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { formatShape, isFloat, sizeOf, stridesOf, type Shape } from '../types.js';
import { stridedIndices } from './broadcasting.js';
import { allocate, type Meaning } from './definition.js';

/** Axes of an operand that are neither batch nor contracting, in order. */
export function freeAxes(rank: number, batch: readonly number[], contracting: readonly number[]): number[] {
  return Array.from({ length: rank }, (_, axis) => axis).filter(
    (axis) => !batch.includes(axis) && !contracting.includes(axis),
  );
}

const pick = (values: readonly number[], axes: readonly number[]) => axes.map((axis) => values[axis]!);

function checkSide(
  side: string,
  shape: Shape,
  batch: readonly number[],
  contracting: readonly number[],
): void {
  const axes = [...batch, ...contracting];
  const valid = axes.every((axis) => Number.isInteger(axis) && axis >= 0 && axis < shape.length);
  if (!valid || new Set(axes).size !== axes.length) {
    throw new ArgumentError(
      `${side}: batch [${batch.join(', ')}] and contracting [${contracting.join(', ')}] axes are not distinct axes of ${formatShape(shape)}.`,
    );
  }
}

function checkPairs(
  kind: string,
  lhs: Shape,
  lhsAxes: readonly number[],
  rhs: Shape,
  rhsAxes: readonly number[],
): void {
  const sizes = [pick(lhs, lhsAxes), pick(rhs, rhsAxes)];
  if (sizes[0]!.length !== sizes[1]!.length || sizes[0]!.some((size, i) => size !== sizes[1]![i])) {
    throw new ShapeError(
      `${formatShape(lhs)} and ${formatShape(rhs)}: ${kind} axes [${lhsAxes.join(', ')}] and [${rhsAxes.join(', ')}] ` +
        `have sizes ${formatShape(sizes[0]!)} and ${formatShape(sizes[1]!)}.`,
    );
  }
}

export const dotGeneralOp: Meaning<'dotGeneral'> = {
  infer: ([lhs, rhs], { lhsBatch, rhsBatch, lhsContracting, rhsContracting }) => {
    if (!isFloat(lhs.dtype) || lhs.dtype !== rhs.dtype) {
      throw new DTypeError(`takes two operands of float32 or float16, got ${lhs.dtype} and ${rhs.dtype}.`);
    }
    checkSide('left operand', lhs.shape, lhsBatch, lhsContracting);
    checkSide('right operand', rhs.shape, rhsBatch, rhsContracting);
    checkPairs('batch', lhs.shape, lhsBatch, rhs.shape, rhsBatch);
    checkPairs('contracting', lhs.shape, lhsContracting, rhs.shape, rhsContracting);
    const shape = [
      ...pick(lhs.shape, lhsBatch),
      ...pick(lhs.shape, freeAxes(lhs.shape.length, lhsBatch, lhsContracting)),
      ...pick(rhs.shape, freeAxes(rhs.shape.length, rhsBatch, rhsContracting)),
    ];
    return { dtype: lhs.dtype, shape };
  },
  evaluate: ([lhs, rhs], { lhsBatch, rhsBatch, lhsContracting, rhsContracting }, type) => {
    const walk = (shape: Shape, axes: readonly number[]) =>
      stridedIndices(pick(stridesOf(shape), axes), pick(shape, axes), 0);
    const [lb, rb] = [walk(lhs.shape, lhsBatch), walk(rhs.shape, rhsBatch)];
    const lf = walk(lhs.shape, freeAxes(lhs.shape.length, lhsBatch, lhsContracting));
    const rf = walk(rhs.shape, freeAxes(rhs.shape.length, rhsBatch, rhsContracting));
    const [lc, rc] = [walk(lhs.shape, lhsContracting), walk(rhs.shape, rhsContracting)];
    const out = allocate(type.dtype, sizeOf(type.shape));
    let at = 0;
    for (let b = 0; b < lb.length; b++) {
      for (const i of lf) {
        for (const j of rf) {
          let sum = 0;
          for (let k = 0; k < lc.length; k++)
            sum += lhs.data[lb[b]! + i + lc[k]!]! * rhs.data[rb[b]! + j + rc[k]!]!;
          out[at++] = sum;
        }
      }
    }
    return out;
  },
  flops: ([lhs], output, { lhsContracting }) =>
    2 * sizeOf(output.shape) * sizeOf(pick(lhs.shape, lhsContracting)),
};
