/**
 * widenFloat16: a prepared graph for a device that stores float16 and has kernels for some ops on it. The others are computed in
 * float32, between casts, and rounded after each op, so that values are those of a device that has all.
 */
import { apply } from './apply.js';
import { callComposite } from './composite.js';
import { cast } from './functions.js';
import { closeGraph, type Graph } from './graph.js';
import { Tensor, type Instruction } from './tensor.js';

/** Whether a device computes an op where an operand or a result is float16. `cast` and constants it always does. */
export type HalfKernels = (op: Instruction['op']) => boolean;

/** The graph with casts around every op on float16 that the device has no kernel for. */
export function widenFloat16(graph: Graph, hasHalf: HalfKernels): Graph {
  if (graph.types.every(({ dtype }) => dtype !== 'float16')) return graph;
  const values = new Array<Tensor>(graph.types.length);
  const inputs = graph.inputs.map(({ name, value }) => {
    const tensor = Tensor.emit('input', [], { name }, graph.types[value]!);
    values[value] = tensor;
    return { name, tensor };
  });
  /** Each value is widened once. */
  const wide = new Map<Tensor, Tensor>();
  const widened = (x: Tensor): Tensor => {
    if (x.dtype !== 'float16') return x;
    const known = wide.get(x) ?? cast(x, 'float32');
    wide.set(x, known);
    return known;
  };
  for (const instruction of graph.instructions) {
    const { op, attributes, inputs: from, outputs } = instruction;
    const types = outputs.map((output) => graph.types[output]!);
    const operands = from.map((input) => values[input]!);
    const isHalf = [...operands, ...types].some(({ dtype }) => dtype === 'float16');
    const results =
      !isHalf || op === 'cast' || op === 'constant' || hasHalf(op)
        ? Tensor.emitAll(op, operands, attributes, types)
        : computed(instruction, operands.map(widened)).map((result, i) => cast(result, types[i]!.dtype));
    outputs.forEach((output, i) => (values[output] = results[i]!));
  }
  const outputs = graph.outputs.map(({ name, value }) => ({ name, tensor: values[value]! }));
  return closeGraph(graph.name, inputs, outputs);
}

/** The same instruction on operands of another dtype. */
function computed({ op, attributes }: Instruction, operands: readonly Tensor[]): readonly Tensor[] {
  if (op === 'composite') return callComposite(attributes.definition, operands, attributes.parameters);
  return [apply(op, operands, attributes)];
}
