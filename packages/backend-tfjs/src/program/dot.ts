/**
 * dotGeneral as one stack of matrix products. An operand whose axes lie as [batch, free, contracting] or [batch,
 * contracting, free] is read as a stack of (transposed) matrices where it is; only other orders move data.
 */
import { sizeOf, type DotDimensions } from '@meanflow/core';
import { freeAxes } from '@meanflow/core/backend';
import type { Lowering } from './lowering.js';
import type { ProgramBuilder, StoredValue } from './program.js';

/** An operand's axes by role. */
interface Roles {
  readonly batch: readonly number[];
  readonly free: readonly number[];
  readonly contracting: readonly number[];
}

/** Whether axes lie in memory in this order; axes of size one lie anywhere. */
function inOrder({ shape }: StoredValue, ...axes: (readonly number[])[]): boolean {
  const long = axes.flat().filter((axis) => shape[axis] !== 1);
  return long.every((axis, i) => i === 0 || axis > long[i - 1]!);
}

const isPlain = (x: StoredValue, r: Roles) => inOrder(x, r.batch, r.free, r.contracting);
const isTransposed = (x: StoredValue, r: Roles) => inOrder(x, r.batch, r.contracting, r.free);

interface Matrices {
  readonly value: StoredValue;
  /** Matrices in the stack. */
  readonly stack: number;
  /** The size of the other dimension. */
  readonly free: number;
  /** Whether the contracting dimension comes first. */
  readonly contractingFirst: boolean;
}

/** @param contractingFirst what to make of an operand that lies neither way */
function asMatrices(
  builder: ProgramBuilder,
  x: StoredValue,
  roles: Roles,
  contractingFirst: boolean,
): Matrices {
  const { batch, free, contracting } = roles;
  const size = (axes: readonly number[]) => sizeOf(axes.map((axis) => x.shape[axis]!));
  const [stack, rows, columns] = [size(batch), size(free), size(contracting)];
  const matrices = (value: StoredValue, first: boolean): Matrices => ({
    value: builder.reshape(value, first ? [stack, columns, rows] : [stack, rows, columns]),
    stack,
    free: rows,
    contractingFirst: first,
  });
  if (isPlain(x, roles)) return matrices(x, false);
  if (isTransposed(x, roles)) return matrices(x, true);
  const order = contractingFirst ? [...batch, ...contracting, ...free] : [...batch, ...free, ...contracting];
  return matrices(builder.transpose(x, order), contractingFirst);
}

/** The contracting pairs in the order that spares most transpositions. */
function arrange(lhs: StoredValue, rhs: StoredValue, d: DotDimensions): [Roles, Roles] {
  const pairs = d.lhsContracting.map((left, i) => [left, d.rhsContracting[i]!] as const);
  const sortedBy = (side: 0 | 1): [Roles, Roles] => {
    const sorted = [...pairs].sort((a, b) => a[side] - b[side]);
    const roles = (x: StoredValue, batch: readonly number[], which: 0 | 1): Roles => {
      const contracting = sorted.map((pair) => pair[which]);
      return { batch, contracting, free: freeAxes(x.shape.length, batch, contracting) };
    };
    return [roles(lhs, d.lhsBatch, 0), roles(rhs, d.rhsBatch, 1)];
  };
  const moved = (x: StoredValue, roles: Roles) => Number(!isPlain(x, roles) && !isTransposed(x, roles));
  const cost = ([left, right]: [Roles, Roles]) => moved(lhs, left) + moved(rhs, right);
  const [byLeft, byRight] = [sortedBy(0), sortedBy(1)];
  return cost(byLeft) <= cost(byRight) ? byLeft : byRight;
}

export const dotGeneral: Lowering<'dotGeneral'> = ({ builder, inputs: [lhs, rhs], attributes, output }) => {
  const [left, right] = arrange(lhs, rhs, attributes);
  const a = asMatrices(builder, lhs, left, false);
  const b = asMatrices(builder, rhs, right, true);
  const product = builder.add(
    'matMul',
    [a.value, b.value],
    { transposeLhs: a.contractingFirst, transposeRhs: !b.contractingFirst },
    { dtype: output.dtype, shape: [a.stack, a.free, b.free] },
  );
  return builder.reshape(product, output.shape);
};
