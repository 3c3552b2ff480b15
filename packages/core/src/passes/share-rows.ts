/**
 * shareRows: common subexpressions modulo a stretch of rows. What is computed of some rows, where the same is computed of all of
 * them, is those rows of the whole: `op(x[a:b])` becomes `op(x)[a:b]` where `op(x)` exists. A MeanFlow step evaluates its network
 * on the whole batch and differentiates it on the rows that have an interval; by this its primal is computed once.
 *
 * It is `simplify` with one rule more: what was found is a slice again, so that the next is found too. It comes first, for of equal
 * instructions on rows only one is left afterwards, which may stand before what is computed of all; and it takes composites apart as
 * `inline` does, for the insides of one are shared with those of another.
 *
 * The slope of an activation is computed of all rows for the backward pass, and of some for a tangent before that: `wholesFirst` puts
 * such calls on all rows before those on some.
 */
import { Graph } from '../graph.js';
import type { Instruction } from '../tensor.js';
import { simplifying } from '../simplify.js';
import type { PassContext, Passing } from './pass.js';

export function* shareRows(graph: Graph, { hasKernel }: PassContext): Passing {
  if (!graph.instructions.some(({ op }) => op === 'slice')) return graph;
  const hooks = { dropStopGradient: true, shareRows: true };
  return yield* simplifying(wholesFirst(graph), { ...hooks, inline: (call) => !hasKernel(call) });
}

/** The same instructions, but calls on all rows of what is called on some rows come first, where their operands are there by then. */
function wholesFirst({ name, types, inputs, instructions, outputs }: Graph): Graph {
  /** By definition: the place of the first call on some rows. */
  const firstPart = new Map<object, number>();
  const earlier = new Map<number, Instruction[]>();
  const isPart = new Uint8Array(types.length);
  /** The place where a value is made. */
  const madeAt = new Int32Array(types.length).fill(-1);
  const moved = new Set<Instruction>();
  for (const [at, instruction] of instructions.entries()) {
    const part = isOfSomeRows(instruction, types, isPart);
    for (const output of instruction.outputs) [isPart[output], madeAt[output]] = [Number(part), at];
    if (instruction.op !== 'composite') continue;
    const { definition } = instruction.attributes;
    const first = firstPart.get(definition);
    if (part && first === undefined) firstPart.set(definition, at);
    if (part || first === undefined || instruction.inputs.some((input) => madeAt[input]! >= first)) continue;
    earlier.set(first, [...(earlier.get(first) ?? []), instruction]);
    moved.add(instruction);
    for (const output of instruction.outputs) madeAt[output] = first;
  }
  if (moved.size === 0) return new Graph(name, types, inputs, instructions, outputs);
  const ordered = instructions.flatMap((instruction, at) => [
    ...(earlier.get(at) ?? []),
    ...(moved.has(instruction) ? [] : [instruction]),
  ]);
  return new Graph(name, types, inputs, ordered, outputs);
}

/** Whether a result belongs to some of the leading rows: until rows are put together again. */
function isOfSomeRows(instruction: Instruction, types: Graph['types'], isPart: Uint8Array): boolean {
  if (instruction.op === 'concat' && instruction.attributes.axis === 0) return false;
  if (instruction.op === 'slice') {
    const { starts, limits } = instruction.attributes;
    if (starts[0] !== 0 || limits[0] !== types[instruction.inputs[0]]!.shape[0]) return true;
  }
  return instruction.inputs.some((input) => isPart[input] === 1);
}
