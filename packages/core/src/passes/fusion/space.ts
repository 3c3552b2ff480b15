/**
 * Where a value's axes lie in the iteration space of a cluster. A member of a cluster has all axes of the space, or all that
 * its reductions leave (one value a row); so which of the two it is says where its axes lie. What members read from outside
 * may have any of the axes: where they lie follows from the broadcasting of the instruction that reads it.
 */
import { FUSED_ELEMENTWISE, properShape } from '../../composites/fused.js';
import type { Instruction } from '../../tensor.js';
import { sameShape, sizeOf, type Shape, type TensorType } from '../../types.js';

/** The longest row that a reduction is fused for, in elements. */
const LONGEST_ROW = 2 ** 14;

/** An iteration space: its sizes, none of which is 1, and how many of the trailing axes are reduced; 0 where none is. */
export interface Space {
  readonly sizes: Shape;
  readonly reduced: number;
}

/** The axes that an instruction's operands and result have in a space. */
export interface Placement {
  readonly space: Space;
  readonly operands: readonly (readonly number[])[];
  readonly result: readonly number[];
}

const range = (count: number): number[] => Array.from({ length: count }, (_, axis) => axis);

/** The shape with the space's rank in which a value with these axes lies: 1 along the others. */
export const placedShape = ({ sizes }: Space, axes: readonly number[]): number[] =>
  sizes.map((size, axis) => (axes.includes(axis) ? size : 1));

/** A reshape that only adds or drops axes of size 1. */
export function isRelabelling({ op, inputs, outputs }: Instruction, types: readonly TensorType[]): boolean {
  return (
    op === 'reshape' && sameShape(properShape(types[inputs[0]]!.shape), properShape(types[outputs[0]]!.shape))
  );
}

/** The trailing axes that a reduction takes away, not counting those of size 1; undefined where they are not trailing. */
function trailing(shape: Shape, axes: readonly number[]): number | undefined {
  const proper = shape.flatMap((size, axis) => (size === 1 ? [] : [axis]));
  const taken = proper.filter((axis) => axes.includes(axis));
  const isTrailing = sameShape(taken, proper.slice(proper.length - taken.length));
  const length = sizeOf(taken.map((axis) => shape[axis]!));
  return isTrailing && taken.length > 0 && length > 0 && length <= LONGEST_ROW ? taken.length : undefined;
}

/** The iteration space that an instruction has by itself; undefined where it cannot be a member of a cluster. */
export function ownSpace(instruction: Instruction, types: readonly TensorType[]): Space | undefined {
  const { op, attributes, inputs, outputs } = instruction;
  const shape = types[outputs[0]!]!.shape;
  if (op === 'reduceSum' || op === 'reduceMax') {
    const operand = types[inputs[0]]!.shape;
    const reduced = trailing(operand, attributes.axes);
    return reduced === undefined || sizeOf(operand) === 0
      ? undefined
      : { sizes: properShape(operand), reduced };
  }
  if (op !== 'broadcastTo' && !FUSED_ELEMENTWISE.has(op) && !isRelabelling(instruction, types))
    return undefined;
  return sizeOf(shape) === 0 ? undefined : { sizes: properShape(shape), reduced: 0 };
}

/** The one space of two clusters; undefined where they have none. */
export function commonSpace(a: Space, b: Space): Space | undefined {
  if (sameShape(a.sizes, b.sizes) && (a.reduced === 0 || b.reduced === 0 || a.reduced === b.reduced))
    return { sizes: a.sizes, reduced: Math.max(a.reduced, b.reduced) };
  return undefined;
}

/** Whether a place in one space is the same in the other. */
export const isWithin = (a: Space, b: Space): boolean =>
  a === b || (a.reduced === b.reduced && sameShape(a.sizes, b.sizes));

/**
 * An instruction's place in a cluster with this space.
 *
 * @param own the space that it has by itself
 * @returns the space with the reduction of the instruction, and axes; undefined where it does not fit
 */
export function placeIn(
  space: Space,
  own: Space,
  instruction: Instruction,
  types: readonly TensorType[],
): Placement | undefined {
  const result = types[instruction.outputs[0]!]!.shape;
  if (own.reduced > 0) {
    const common = commonSpace(space, own);
    if (common === undefined) return undefined;
    const rank = common.sizes.length;
    return { space: common, operands: [range(rank)], result: range(rank - own.reduced) };
  }
  const rows = space.sizes.slice(0, space.sizes.length - space.reduced);
  const isMember = sameShape(own.sizes, space.sizes) || (space.reduced > 0 && sameShape(own.sizes, rows));
  if (!isMember) return undefined;
  const axes = range(own.sizes.length);
  if (instruction.op === 'reshape') return { space, operands: [axes], result: axes };
  // Which of the result's axes each of its proper axes is.
  const places = new Map<number, number>();
  result.forEach((size, axis) => size !== 1 && places.set(axis, places.size));
  const operands = instruction.inputs.map((input) => {
    const { shape } = types[input]!;
    return shape.flatMap((size, axis) =>
      size === 1 ? [] : [places.get(axis + result.length - shape.length)!],
    );
  });
  return { space, operands, result: axes };
}
