/**
 * buildProgram: a prepared graph as a Program. Values without elements, and results computed from nothing, are settled
 * here, so that neither lowerings nor kernels have to think of them.
 */
import { BackendError, drain, type Graph, type Steps, type TensorType } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { lowering, ofNothing, preparing, widenFloat16, type Instruction } from '@meanflow/core/backend';
import type { Lowering } from './lowering.js';
import { areStored, isEmpty, ProgramBuilder, type Program, type Value } from './program.js';
import { lowerings } from './table.js';

/** @throws {BackendError} when an op has no form that tfjs computes, naming the op and its operands */
export function buildProgram(graph: Graph): Program {
  return drain(buildingProgram(graph));
}

/** How many instructions are lowered at a time. */
const AT_A_TIME = 16;

/** Ops that tfjs computes on WebGPU too, in float32. */
const WIDE: ReadonlySet<string> = new Set(['conv']);

/** {@link buildProgram} in small steps, for who has other things to do meanwhile. */
export function* buildingProgram(graph: Graph): Steps<Program> {
  const prepared = widenFloat16(yield* preparing(graph), (op) => !WIDE.has(op));
  const builder = new ProgramBuilder();
  const values = new Array<Value>(prepared.types.length);
  for (const { value } of prepared.inputs) values[value] = builder.input(prepared.types[value]!);
  for (const [i, instruction] of prepared.instructions.entries()) {
    if (i % AT_A_TIME === 0) yield;
    const inputs = instruction.inputs.map((input) => values[input]!);
    const [output] = leading(instruction.outputs, 1);
    values[output] = lower(builder, instruction, inputs, prepared.types[output]!);
  }
  const named = (list: Graph['inputs']) => list.map(({ name, value }) => ({ name, value: values[value]! }));
  return builder.finish(graph.name, named(prepared.inputs), named(prepared.outputs));
}

function lower(
  builder: ProgramBuilder,
  { op, attributes }: Instruction,
  inputs: readonly Value[],
  output: TensorType,
): Value {
  if (isEmpty(output)) return { ...output, storage: undefined };
  if (op === 'composite') throw new BackendError(`composite ${attributes.definition.name} was not inlined.`);
  // Only the concatenation of something with nothing needs its operands one by one.
  const operands = op === 'concat' ? inputs.filter((input) => !isEmpty(input)) : inputs;
  if (!areStored(operands)) {
    const held = operands[0]!;
    if (op === 'optimizationBarrier' && held.storage !== undefined) return held;
    return builder.fill(output, ofNothing(op, output.dtype, attributes));
  }
  return lowering(op, inputs, 'could not be lowered to tfjs', () =>
    (lowerings[op] as Lowering<typeof op>)({
      builder,
      inputs: operands,
      attributes: attributes as never,
      output,
    }),
  );
}
