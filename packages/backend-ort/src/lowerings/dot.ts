/**
 * dotGeneral as one matrix product. Each operand is read as a (stack of) matrices by a reshape, which is free, when
 * its axes come as [batch, free, contracting] or [batch, contracting, free]; the second is a transposed matrix, which
 * the product takes as it is where the provider can. Only other orders need a Transpose. Without batch axes the product is a 2-D Gemm, the
 * fastest that ONNX Runtime's CPU provider has; with them, MatMul, or FusedMatMul for transposed matrices.
 */
import { sizeOf, type DotDimensions } from '@meanflow/core';
import { freeAxes } from '@meanflow/core/backend';
import { MICROSOFT_DOMAIN, type ValueName } from '../onnx/model.js';
import type { ModelBuilder } from '../onnx/model-builder.js';
import type { Lowering, Operand } from './lowering.js';
import { permute, reshapeTo } from './shaping.js';

/** An operand's axes by role. */
interface Roles {
  readonly batch: readonly number[];
  readonly free: readonly number[];
  readonly contracting: readonly number[];
}

type Layout = 'plain' | 'transposed' | 'other';

/** Whether the matrix [free, contracting] lies in memory as it is, transposed, or neither way. */
function layout({ shape }: Operand, { batch, free, contracting }: Roles): Layout {
  const inOrder = (axes: readonly number[]) => {
    const long = axes.filter((axis) => shape[axis] !== 1);
    return long.every((axis, i) => i === 0 || axis > long[i - 1]!);
  };
  if (inOrder([...batch, ...free, ...contracting])) return 'plain';
  return inOrder([...batch, ...contracting, ...free]) ? 'transposed' : 'other';
}

const pick = (values: readonly number[], axes: readonly number[]) => axes.map((axis) => values[axis]!);

interface Matrix {
  readonly name: ValueName;
  /** Whether the contracting dimension comes first. */
  readonly contractingFirst: boolean;
}

function asMatrix(builder: ModelBuilder, operand: Operand, roles: Roles, stacked: boolean): Matrix {
  const { batch, free, contracting } = roles;
  const found = layout(operand, roles);
  const contractingFirst = found === 'transposed';
  const order = [...batch, ...free, ...contracting];
  const laid =
    found === 'other'
      ? { name: permute(builder, operand.name, order), shape: pick(operand.shape, order) }
      : operand;
  const sizes = [free, contracting].map((axes) => sizeOf(pick(operand.shape, axes)));
  if (contractingFirst) sizes.reverse();
  const shape = stacked ? [sizeOf(pick(operand.shape, batch)), ...sizes] : sizes;
  return { name: reshapeTo(builder, laid.name, laid.shape, shape), contractingFirst };
}

/** The contracting pairs in the order that spares most transpositions. */
function arrange(lhs: Operand, rhs: Operand, d: DotDimensions): [Roles, Roles] {
  const pairs = d.lhsContracting.map((left, i) => [left, d.rhsContracting[i]!] as const);
  const sortedBy = (side: 0 | 1): [Roles, Roles] => {
    const sorted = [...pairs].sort((a, b) => a[side] - b[side]);
    const roles = (operand: Operand, batch: readonly number[], which: 0 | 1): Roles => {
      const contracting = sorted.map((pair) => pair[which]);
      return { batch, contracting, free: freeAxes(operand.shape.length, batch, contracting) };
    };
    return [roles(lhs, d.lhsBatch, 0), roles(rhs, d.rhsBatch, 1)];
  };
  const transpositions = ([left, right]: [Roles, Roles]) =>
    Number(layout(lhs, left) === 'other') + Number(layout(rhs, right) === 'other');
  const [byLeft, byRight] = [sortedBy(0), sortedBy(1)];
  return transpositions(byLeft) <= transpositions(byRight) ? byLeft : byRight;
}

/** How products of stacks take a transposed matrix: as it is, by FusedMatMul, or transposed by a node of its own. */
export type TransposedStacks = 'fused' | 'transpose';

export const contraction =
  (transposed: TransposedStacks): Lowering<'dotGeneral'> =>
  ({ builder, inputs: [lhs, rhs], attributes, output }) => {
    const [left, right] = arrange(lhs, rhs, attributes);
    const stack = sizeOf(pick(lhs.shape, left.batch));
    const stacked = stack > 1;
    const a = asMatrix(builder, lhs, left, stacked);
    const b = asMatrix(builder, rhs, right, stacked);
    // The left matrix is [free, contracting] when plain, the right one [contracting, free].
    const transA = a.contractingFirst ? 1n : 0n;
    const transB = b.contractingFirst ? 0n : 1n;
    const rows = sizeOf(pick(lhs.shape, left.free));
    const columns = sizeOf(pick(rhs.shape, right.free));
    if (!stacked) {
      const product = builder.node('Gemm', [a.name, b.name], { attributes: { transA, transB } });
      return reshapeTo(builder, product, [rows, columns], output.shape);
    }
    const swapped = ({ name }: Matrix, swap: bigint) =>
      swap === 0n ? name : permute(builder, name, [0, 2, 1]);
    const product =
      transposed === 'transpose' || (transA === 0n && transB === 0n)
        ? builder.node('MatMul', [swapped(a, transA), swapped(b, transB)])
        : builder.node('FusedMatMul', [a.name, b.name], {
            domain: MICROSOFT_DOMAIN,
            attributes: { transA, transB, alpha: 1 },
          });
    return reshapeTo(builder, product, [stack, rows, columns], output.shape);
  };
