/**
 * dotGeneral: the one contraction. Batch axes are paired and kept, contracting axes are paired and summed, and the
 * result's axes are the batch axes, then the free axes of the left operand, then those of the right.
 */
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { dotGeneral, transpose } from '../functions.js';
import type { Tensor } from '../tensor.js';
import { formatShape, sizeOf, stridesOf, type Shape, type TensorType } from '../types.js';
import type { DotDimensions } from './attributes.js';
import { stridedIndices } from './broadcasting.js';
import { allocate, type OpDefinition, type Tangent } from './definition.js';

/** Axes of an operand that are neither batch nor contracting, in order. */
export function freeAxes(rank: number, batch: readonly number[], contracting: readonly number[]): number[] {
  return Array.from({ length: rank }, (_, axis) => axis).filter(
    (axis) => !batch.includes(axis) && !contracting.includes(axis),
  );
}

const pick = (values: readonly number[], axes: readonly number[]) => axes.map((axis) => values[axis]);

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
  if (sizes[0].length !== sizes[1].length || sizes[0].some((size, i) => size !== sizes[1][i])) {
    throw new ShapeError(
      `${formatShape(lhs)} and ${formatShape(rhs)}: ${kind} axes [${lhsAxes.join(', ')}] and [${rhsAxes.join(', ')}] ` +
        `have sizes ${formatShape(sizes[0])} and ${formatShape(sizes[1])}.`,
    );
  }
}

/**
 * The cotangent of one operand: contracts the output's cotangent with the other operand over the other's free axes.
 * `kept` and `other` name the axes of the two operands by role.
 */
function cotangentOf(
  cotangent: Tensor,
  kept: {
    readonly type: TensorType;
    readonly batch: readonly number[];
    readonly contracting: readonly number[];
  },
  other: {
    readonly value: Tensor;
    readonly batch: readonly number[];
    readonly contracting: readonly number[];
  },
  keptIsLhs: boolean,
): Tensor {
  const batchCount = kept.batch.length;
  const keptFree = freeAxes(kept.type.shape.length, kept.batch, kept.contracting);
  const otherFree = freeAxes(other.value.rank, other.batch, other.contracting);
  const range = (start: number, count: number) => Array.from({ length: count }, (_, i) => start + i);
  const otherFreeInCotangent = range(batchCount + (keptIsLhs ? keptFree.length : 0), otherFree.length);
  const batchInCotangent = range(0, batchCount);
  // The other operand's contracting axes arrive in its own axis order; find the kept axis that each pairs with.
  const otherOrder = freeAxes(other.value.rank, other.batch, otherFree);
  const keptContracting = otherOrder.map((axis) => kept.contracting[other.contracting.indexOf(axis)]);
  // Either operand may come first; take the order whose axes already are the kept operand's, if one is.
  const otherFirst = [...kept.batch, ...keptContracting, ...keptFree];
  const cotangentFirst = [...kept.batch, ...keptFree, ...keptContracting];
  const inOrder = (axes: readonly number[]) => axes.every((axis, i) => axis === i);
  const useOtherFirst = inOrder(otherFirst);
  const result = useOtherFirst
    ? dotGeneral(other.value, cotangent, {
        lhsBatch: other.batch,
        rhsBatch: batchInCotangent,
        lhsContracting: otherFree,
        rhsContracting: otherFreeInCotangent,
      })
    : dotGeneral(cotangent, other.value, {
        lhsBatch: batchInCotangent,
        rhsBatch: other.batch,
        lhsContracting: otherFreeInCotangent,
        rhsContracting: otherFree,
      });
  const order = useOtherFirst ? otherFirst : cotangentFirst;
  return inOrder(order)
    ? result
    : transpose(
        result,
        order.map((_, axis) => order.indexOf(axis)),
      );
}

export const dotGeneralOp: OpDefinition<DotDimensions> = {
  infer: ([lhs, rhs], { lhsBatch, rhsBatch, lhsContracting, rhsContracting }) => {
    if (lhs.dtype !== 'float32' || rhs.dtype !== 'float32') {
      throw new DTypeError(`takes float32 operands, got ${lhs.dtype} and ${rhs.dtype}.`);
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
    return { dtype: 'float32', shape };
  },
  jvp: ({ inputs: [lhs, rhs], tangents: [dl, dr], attributes }): Tangent => {
    const left = dl && dotGeneral(dl, rhs, attributes);
    const right = dr && dotGeneral(lhs, dr, attributes);
    return left && right ? left.add(right) : (left ?? right);
  },
  transpose: ({ cotangent, inputs: [lhs, rhs], linear, attributes: d }) => [
    linear[0]
      ? cotangentOf(
          cotangent,
          { type: lhs, batch: d.lhsBatch, contracting: d.lhsContracting },
          { value: rhs, batch: d.rhsBatch, contracting: d.rhsContracting },
          true,
        )
      : undefined,
    linear[1]
      ? cotangentOf(
          cotangent,
          { type: rhs, batch: d.rhsBatch, contracting: d.rhsContracting },
          { value: lhs, batch: d.lhsBatch, contracting: d.lhsContracting },
          false,
        )
      : undefined,
  ],
  evaluate: ([lhs, rhs], { lhsBatch, rhsBatch, lhsContracting, rhsContracting }, type) => {
    const walk = (shape: Shape, axes: readonly number[]) =>
      stridedIndices(pick(stridesOf(shape), axes), pick(shape, axes), 0);
    const [lb, rb] = [walk(lhs.shape, lhsBatch), walk(rhs.shape, rhsBatch)];
    const lf = walk(lhs.shape, freeAxes(lhs.shape.length, lhsBatch, lhsContracting));
    const rf = walk(rhs.shape, freeAxes(rhs.shape.length, rhsBatch, rhsContracting));
    const [lc, rc] = [walk(lhs.shape, lhsContracting), walk(rhs.shape, rhsContracting)];
    const out = allocate('float32', sizeOf(type.shape));
    let at = 0;
    for (let b = 0; b < lb.length; b++) {
      for (const i of lf) {
        for (const j of rf) {
          let sum = 0;
          for (let k = 0; k < lc.length; k++)
            sum += lhs.data[lb[b] + i + lc[k]] * rhs.data[rb[b] + j + rc[k]];
          out[at++] = sum;
        }
      }
    }
    return out;
  },
  flops: ([lhs], output, { lhsContracting }) =>
    2 * sizeOf(output.shape) * sizeOf(pick(lhs.shape, lhsContracting)),
};
