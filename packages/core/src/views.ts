/**
 * Views: where the elements of a value lie when the movements that made it are not carried out. A transposition, a slice, a
 * reversal, a repetition and most reshapes only say in which order elements of an earlier value are read; whoever reads by
 * strides does without them.
 */
import type { Instruction, Program, ValueId } from './tensor.js';
import { stridesOf, type Shape } from './types.js';

/** A value read in the memory of another: the element `[i, j, …]` lies at `offset + i·strides[0] + j·strides[1] + …`. */
export interface View {
  /** The value whose memory it is, which lies there as its type says. */
  readonly value: ValueId;
  /** In elements. */
  readonly offset: number;
  readonly shape: Shape;
  /** In elements, by axis; 0 along an axis that repeats, negative along one that is read from its end. */
  readonly strides: readonly number[];
}

/**
 * The view of every value of a program, by its number: of itself where no movement made it.
 *
 * @param through an operand of an instruction's that stands for its result, of the same shape, to who does the rest of it
 */
export function viewsOf(
  program: Program,
  through: (instruction: Instruction) => ValueId | undefined = () => undefined,
): readonly View[] {
  const views = program.types.map(({ shape }, value) => whole(value, shape));
  for (const instruction of program.instructions) {
    const [output] = instruction.outputs;
    const same = through(instruction);
    const found = same === undefined ? moved(instruction, views, program.types[output!]!.shape) : views[same];
    if (found !== undefined) views[output!] = found;
  }
  return views;
}

const whole = (value: ValueId, shape: Shape): View => ({
  value,
  offset: 0,
  shape,
  strides: stridesOf(shape),
});

function moved(instruction: Instruction, views: readonly View[], shape: Shape): View | undefined {
  const from = views[instruction.inputs[0]!];
  if (from === undefined) return undefined;
  switch (instruction.op) {
    case 'transpose': {
      const { permutation } = instruction.attributes;
      return { ...from, shape, strides: permutation.map((axis) => from.strides[axis]!) };
    }
    case 'slice': {
      const { starts, strides } = instruction.attributes;
      const offset = starts.reduce((sum, start, axis) => sum + start * from.strides[axis]!, from.offset);
      return { ...from, offset, shape, strides: from.strides.map((stride, axis) => stride * strides[axis]!) };
    }
    case 'reverse': {
      const { axes } = instruction.attributes;
      const offset = axes.reduce((sum, axis) => sum + (shape[axis]! - 1) * from.strides[axis]!, from.offset);
      return {
        ...from,
        offset,
        strides: from.strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride)),
      };
    }
    case 'broadcastTo': {
      const added = shape.length - from.shape.length;
      const strides = shape.map((size, axis) => {
        const isOwn = axis >= added && from.shape[axis - added] === size;
        return isOwn ? from.strides[axis - added]! : 0;
      });
      return { ...from, shape, strides };
    }
    case 'reshape': {
      const strides = reshapedStrides(from, shape);
      return strides && { ...from, shape, strides };
    }
    default:
      return undefined;
  }
}

/** The strides of a view under another shape, where its elements still lie at even distances along every axis. */
export function reshapedStrides(from: Pick<View, 'shape' | 'strides'>, shape: Shape): number[] | undefined {
  if (shape.includes(0) || from.shape.includes(0)) return stridesOf(shape);
  const runs = mergeAxes(from.shape.map((size, axis) => ({ size, strides: [from.strides[axis]!] })));
  const strides = new Array<number>(shape.length).fill(0);
  // From the last axis to the first, each new axis is taken from what is left of a run.
  let run = runs.length - 1;
  let [left, stride] = [runs[run]?.size ?? 1, runs[run]?.strides[0] ?? 1];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis]!;
    if (size === 1) continue;
    if (left === 1) {
      run -= 1;
      [left, stride] = [runs[run]?.size ?? 1, runs[run]?.strides[0] ?? 1];
    }
    if (left % size !== 0) return undefined;
    strides[axis] = stride;
    left /= size;
    stride *= size;
  }
  return strides;
}

/** An axis along which several values are walked at once, each by a stride of its own. */
export interface WalkedAxis {
  readonly size: number;
  /** By value. */
  readonly strides: readonly number[];
}

/** The same walk with as few axes as there can be: those of size 1 left out, and neighbours joined that are one even walk. */
export function mergeAxes(axes: readonly WalkedAxis[]): WalkedAxis[] {
  const merged: WalkedAxis[] = [];
  for (const axis of axes) {
    if (axis.size === 1) continue;
    const outer = merged.at(-1);
    if (outer?.strides.every((stride, i) => stride === axis.size * axis.strides[i]!)) {
      merged[merged.length - 1] = { size: outer.size * axis.size, strides: axis.strides };
    } else merged.push(axis);
  }
  return merged;
}
