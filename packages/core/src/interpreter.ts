/**
 * The reference interpreter: runs a graph in plain loops, every float32 in float64, every
 * float16 rounded after each op. It is the oracle that backends are
 * measured against, op by op; it is not fast and is not meant to be.
 */
import { checkInputs } from './check-inputs.js';
import { roundToHalf } from './half.js';
import { HostArray } from './host-array.js';
import { allocate, type RefValue } from './ops/definition.js';
import { evaluate } from './ops/table.js';
import type { Program } from './tensor.js';
import { formatType, isFloat, sizeOf, type TensorType } from './types.js';

/**
 * Runs a graph on host arrays.
 *
 * @param inputs one array per input of the graph, by name; float32 or float64 where the graph says float32 or float16
 * @returns the outputs by name; floats as float64
 * @throws {ArgumentError | ShapeError | DTypeError} when an input is missing or not of the graph's type
 */
export function interpret(
  graph: Program,
  inputs: Readonly<Record<string, HostArray>>,
): Record<string, HostArray> {
  const operands = checkInputs(graph, inputs).map((given, i) =>
    toRef(given, graph.types[graph.inputs[i]!.value]!),
  );
  const results = run(graph, operands);
  return Object.fromEntries(graph.outputs.map(({ name }, i) => [name, toHost(results[i]!)]));
}

function toRef(array: HostArray, type: TensorType): RefValue {
  const data = allocate(type.dtype, array.size);
  data.set(type.dtype === 'float16' ? array.data.map(roundToHalf) : array.data);
  return { dtype: type.dtype, shape: array.shape, data };
}

function toHost({ dtype, shape, data }: RefValue): HostArray {
  return new HostArray(isFloat(dtype) ? 'float64' : dtype, shape, data.slice() as never);
}

function run(graph: Program, operands: readonly RefValue[]): RefValue[] {
  const values = new Array<RefValue>(graph.types.length);
  graph.inputs.forEach(({ value }, i) => (values[value] = operands[i]!));
  for (const { op, attributes, inputs, outputs } of graph.instructions) {
    const given = inputs.map((input) => values[input]!);
    if (op === 'composite') {
      run(attributes.body, given).forEach((result, i) => (values[outputs[i]!] = result));
      continue;
    }
    const type = graph.types[outputs[0]]!;
    const data = evaluate(op, given, attributes, type);
    if (data.length !== sizeOf(type.shape))
      throw new Error(`Internal: "${op}" evaluated to ${data.length} elements, not ${formatType(type)}.`);
    values[outputs[0]] = { dtype: type.dtype, shape: type.shape, data };
  }
  return graph.outputs.map(({ value }) => values[value]!);
}
