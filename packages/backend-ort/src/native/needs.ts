/** Needs: who reads each value of a graph, where instructions read other values than their operands. */
import type { Instruction, ValueId, Program } from '@meanflow/core/backend';

/** What an instruction reads. */
export type Reads = (instruction: Instruction) => readonly ValueId[];

export type Readers = ReadonlyMap<ValueId, readonly (Instruction | 'output')[]>;

export interface Needs {
  readonly readers: Readers;
  /** Instructions whose results nobody needs. */
  readonly idle: ReadonlySet<Instruction>;
}

export function needsOf(graph: Program, reads: Reads): Needs {
  const readers = new Map<ValueId, (Instruction | 'output')[]>();
  const read = (value: ValueId, by: Instruction | 'output') => {
    const known = readers.get(value);
    if (known === undefined) readers.set(value, [by]);
    else known.push(by);
  };
  for (const { value } of graph.outputs) read(value, 'output');
  const idle = new Set<Instruction>();
  for (const instruction of [...graph.instructions].reverse()) {
    if (instruction.outputs.some((output) => readers.has(output)))
      for (const value of new Set(reads(instruction))) read(value, instruction);
    else idle.add(instruction);
  }
  return { readers, idle };
}
