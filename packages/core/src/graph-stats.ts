/**
 * What a graph costs, counted and not timed: ops by name, floating-point operations, bytes read and written, and the
 * peak of live bytes when instructions run in order and values are freed after their last use.
 */
import type { Instruction, Program } from './tensor.js';
import { meaningOf } from './ops/table.js';
import { bytesPerElement, sizeOf, type TensorType } from './types.js';

export interface GraphStats {
  /** Number of instructions; a composite counts as one. */
  readonly instructions: number;
  /** Instructions by op name; composites under their own name. */
  readonly ops: Readonly<Record<string, number>>;
  /** Floating-point operations; a multiply-add is two. */
  readonly flops: number;
  /** Bytes that instructions read and write, each operand and result once. */
  readonly bytesMoved: number;
  /** Largest sum of bytes alive at once, inputs and outputs included, running in order. */
  readonly peakBytes: number;
}

export function graphStats(graph: Program): GraphStats {
  const ops = new Map<string, number>();
  let flops = 0;
  let bytesMoved = 0;
  for (const instruction of graph.instructions) {
    const name = instruction.op === 'composite' ? instruction.attributes.definition.name : instruction.op;
    ops.set(name, (ops.get(name) ?? 0) + 1);
    flops += instructionFlops(graph, instruction);
    for (const value of [...instruction.inputs, ...instruction.outputs])
      bytesMoved += bytesOf(graph.types[value]!);
  }
  return {
    instructions: graph.instructions.length,
    ops: Object.fromEntries(ops),
    flops,
    bytesMoved,
    peakBytes: peakBytes(graph),
  };
}

function bytesOf(type: TensorType): number {
  return sizeOf(type.shape) * bytesPerElement[type.dtype];
}

function instructionFlops(graph: Program, { op, inputs, outputs, attributes }: Instruction): number {
  if (op === 'composite') return graphStats(attributes.body).flops;
  return meaningOf(op).flops(
    inputs.map((input) => graph.types[input]!),
    graph.types[outputs[0]]!,
    attributes,
  );
}

function peakBytes(graph: Program): number {
  // What passes a barrier is what came to it, in the same memory.
  const memory = graph.types.map((_, value) => value);
  for (const { op, inputs, outputs } of graph.instructions)
    if (op === 'optimizationBarrier') memory[outputs[0]] = memory[inputs[0]]!;
  const memoriesOf = (values: readonly number[]) => values.map((value) => memory[value]!);
  const lastUse = new Map<number, number>();
  graph.instructions.forEach(({ inputs }, i) => memoriesOf(inputs).forEach((input) => lastUse.set(input, i)));
  const kept = new Set(memoriesOf([...graph.inputs, ...graph.outputs].map(({ value }) => value)));
  let live = graph.inputs.reduce((total, { value }) => total + bytesOf(graph.types[value]!), 0);
  let peak = live;
  graph.instructions.forEach(({ inputs, outputs }, i) => {
    for (const output of outputs) if (memory[output] === output) live += bytesOf(graph.types[output]!);
    peak = Math.max(peak, live);
    for (const value of new Set(memoriesOf([...inputs, ...outputs]))) {
      if (!kept.has(value) && (lastUse.get(value) ?? i) === i) live -= bytesOf(graph.types[value]!);
    }
  });
  return peak;
}
