/**
 * The iteration space of a fused body: which of its axes each value has. Instructions broadcast, drop axes of size 1 and
 * add such, so shapes alone do not say it; but every instruction says which axes of its operands are which of its result.
 * Axes that are the same are joined (union-find), and the largest value of the body names them.
 */
import { sizeOf } from '@meanflow/core';
import type { Instruction, Program, ValueId } from '@meanflow/core/backend';

export interface IterationSpace {
  /** Sizes of the axes, outermost first; none is 1. */
  readonly sizes: readonly number[];
  /** How many of the axes, which come last, are reduced by the body's reductions. */
  readonly reduced: number;
  /** The axes that a value has, in increasing order. */
  readonly axesOf: (value: ValueId) => readonly number[];
  /** Whether an instruction's result is its operand's elements in the same order, or repeated. */
  readonly isAlias: (instruction: Instruction) => boolean;
}

/** @returns undefined when the body has no single iteration space, or its reductions are not over all trailing axes */
export function iterationSpace(body: Program): IterationSpace | undefined {
  const { types, instructions } = body;
  const join = new UnionFind();
  const key = (value: ValueId, axis: number): string => `${value}.${axis}`;
  /** The axes of a value that are not of size 1. */
  const proper = (value: ValueId): number[] =>
    types[value]!.shape.flatMap((size, axis) => (size === 1 ? [] : [axis]));
  const inOrder = (a: ValueId, as: readonly number[], b: ValueId, bs: readonly number[]): boolean => {
    if (as.length !== bs.length) return false;
    as.forEach((axis, i) => join.unite(key(a, axis), key(b, bs[i]!)));
    return true;
  };
  const reductions = new Map<Instruction, { readonly operand: ValueId; readonly axes: readonly number[] }>();

  for (const instruction of instructions) {
    const { op, inputs, attributes, outputs } = instruction;
    const [result] = outputs;
    if (result === undefined) return undefined;
    if (op === 'reshape') {
      const [operand] = inputs;
      if (!inOrder(operand, proper(operand), result, proper(result))) return undefined;
    } else if (op === 'reduceSum' || op === 'reduceMax') {
      const [operand] = inputs;
      const axes = proper(operand).filter((axis) => attributes.axes.includes(axis));
      const kept = proper(operand).filter((axis) => !attributes.axes.includes(axis));
      if (!inOrder(operand, kept, result, proper(result))) return undefined;
      if (axes.length > 0) reductions.set(instruction, { operand, axes });
    } else {
      const rank = types[result]!.shape.length;
      for (const operand of inputs) {
        const lead = rank - types[operand]!.shape.length;
        for (const axis of proper(operand)) join.unite(key(operand, axis), key(result, axis + lead));
      }
    }
  }

  const sizes = types.map(({ shape }) => sizeOf(shape));
  const root = sizes.indexOf(Math.max(...sizes));
  // Values of all elements have all axes, in order, though repetition may have given them some.
  types.forEach((_, value) => {
    if (sizes[value] === sizes[root]) inOrder(value, proper(value), root, proper(root));
  });
  const names = new Map<string, number>();
  for (const [i, axis] of proper(root).entries()) {
    const name = join.find(key(root, axis));
    if (names.has(name)) return undefined;
    names.set(name, i);
  }
  const spaceSizes = proper(root).map((axis) => types[root]!.shape[axis]!);
  const axesOf = types.map((_, value) => proper(value).map((axis) => names.get(join.find(key(value, axis)))));
  const isOrdered = (axes: readonly (number | undefined)[]): axes is number[] =>
    axes.every((axis, i) => axis !== undefined && (i === 0 || axis > axes[i - 1]!));
  const ordered = axesOf.filter(isOrdered);
  if (ordered.length !== types.length) return undefined;

  const all = [...reductions.values()];
  const reduced = all[0]?.axes.length ?? 0;
  const first = spaceSizes.length - reduced;
  const areTrailing = all.every(
    ({ operand, axes }) =>
      axes.length === reduced && axes.every((axis) => names.get(join.find(key(operand, axis)))! >= first),
  );
  if (!areTrailing) return undefined;

  return {
    sizes: spaceSizes,
    reduced,
    axesOf: (value) => ordered[value]!,
    isAlias: (instruction) =>
      instruction.op === 'reshape' ||
      instruction.op === 'broadcastTo' ||
      ((instruction.op === 'reduceSum' || instruction.op === 'reduceMax') && !reductions.has(instruction)),
  };
}

class UnionFind {
  private readonly parents = new Map<string, string>();

  find(name: string): string {
    let root = name;
    for (let up = this.parents.get(root); up !== undefined; up = this.parents.get(root)) root = up;
    if (root !== name) this.parents.set(name, root);
    return root;
  }

  unite(a: string, b: string): void {
    const [x, y] = [this.find(a), this.find(b)];
    if (x !== y) this.parents.set(x, y);
  }
}
