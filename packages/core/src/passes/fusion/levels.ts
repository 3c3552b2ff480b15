/**
 * Levels of instructions, for `fuse`: members of a cluster are of one level. A level never falls along an operand, and rises at what
 * cannot be a member of a cluster; so whatever lies between two instructions of one level can be a member, and is of it too.
 *
 * The level of an instruction is how many that cannot be members lie on the longest way to it, put off where something is
 * gained: what is no larger than what it is made of is computed with who reads it (the decay of a moment waits for the
 * gradient), and what is connected within a level moves as one to where its first reader is, so that a value that is computed
 * long before its tangent runs beside it.
 */
import type { Graph } from '../../graph.js';
import { sizeOf } from '../../types.js';

/** How much more than its result an instruction may read that is put off by itself. */
const SINKING = 1.25;

export interface LevelledGraph {
  readonly graph: Graph;
  /** The instruction that makes a value; −1 for inputs. */
  readonly maker: Int32Array;
  /** The instructions that read each value. */
  readonly users: readonly (readonly number[])[];
  readonly isOutput: Uint8Array;
  /** Whether an instruction may be of the level of its operands. */
  readonly isPassing: (i: number) => boolean;
}

/** The level of each instruction. */
export function levelsOf(given: LevelledGraph): Int32Array {
  const levels = earliest(given);
  sink(given, levels);
  moveTogether(given, levels);
  return levels;
}

function earliest({ graph, maker, isPassing }: LevelledGraph): Int32Array {
  const levels = new Int32Array(graph.instructions.length);
  graph.instructions.forEach(({ inputs }, i) => {
    const made = inputs.map((input) => maker[input]!).filter((from) => from >= 0);
    const level = made.reduce((most, from) => Math.max(most, levels[from]!), 0);
    levels[i] = level + (isPassing(i) || inputs.length === 0 ? 0 : 1);
  });
  return levels;
}

/** The latest level that the readers of an instruction's results allow; undefined where none reads them. */
function latest(
  { graph, users, isPassing }: LevelledGraph,
  i: number,
  levels: Int32Array,
  apart?: (user: number) => boolean,
): number | undefined {
  let found = Infinity;
  for (const output of graph.instructions[i]!.outputs) {
    for (const user of users[output]!)
      if (apart?.(user) !== false) found = Math.min(found, levels[user]! - (isPassing(user) ? 0 : 1));
  }
  return found === Infinity ? undefined : found;
}

function sink(given: LevelledGraph, levels: Int32Array): void {
  const { instructions, types } = given.graph;
  const size = (value: number): number => sizeOf(types[value]!.shape);
  for (let i = instructions.length - 1; i >= 0; i--) {
    const { inputs, outputs } = instructions[i]!;
    const result = outputs[0];
    if (result === undefined || given.isOutput[result] === 1 || !given.isPassing(i)) continue;
    const read = inputs.reduce((sum, input) => sum + size(input), 0);
    if (inputs.length === 0 || read > SINKING * size(result) + 2) continue;
    levels[i] = Math.max(levels[i]!, latest(given, i, levels) ?? 0);
  }
}

function moveTogether(given: LevelledGraph, levels: Int32Array): void {
  const { instructions } = given.graph;
  const groups = connected(given, levels);
  const members = new Map<number, number[]>();
  groups.forEach((group, i) => {
    const known = members.get(group);
    if (known === undefined) members.set(group, [i]);
    else known.push(i);
  });
  // From the last level to the first; in each, those that pass before the others, which they read.
  const order = [...members.values()].sort(
    ([a], [b]) => levels[b!]! - levels[a!]! || Number(given.isPassing(b!)) - Number(given.isPassing(a!)),
  );
  for (const group of order) {
    const isApart = (user: number): boolean => groups[user] !== groups[group[0]!];
    const bounds = group.flatMap((i) => latest(given, i, levels, isApart) ?? []);
    if (bounds.length === 0 || instructions[group[0]!]!.inputs.length === 0) continue;
    const level = bounds.reduce((least, bound) => Math.min(least, bound));
    for (const i of group) levels[i] = Math.max(levels[i]!, level);
  }
}

/** For each instruction, one of those that it is connected with by operands of one level, the same for all of them. */
function connected({ graph, maker, isPassing }: LevelledGraph, levels: Int32Array): Int32Array {
  const parents = Int32Array.from(graph.instructions, (_, i) => i);
  const find = (i: number): number => {
    let root = i;
    while (parents[root] !== root) root = parents[root]!;
    for (let at = i; at !== root;) {
      const up = parents[at]!;
      parents[at] = root;
      at = up;
    }
    return root;
  };
  graph.instructions.forEach(({ inputs }, i) => {
    if (!isPassing(i)) return;
    for (const input of inputs) {
      const from = maker[input]!;
      if (from >= 0 && isPassing(from) && levels[from] === levels[i]) parents[find(from)] = find(i);
    }
  });
  return parents.map((_, i) => find(i));
}
