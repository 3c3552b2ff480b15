/** A graph as a list of prepared kernels, run in order, each value forgotten after its last use. */
import { HostArray, type Graph, type TensorType } from '@meanflow/core';
import { prepare, roundToHalf, type DeviceProgram, type ValueId } from '@meanflow/core/backend';
import type { Kernel, KernelTable, Run } from './kernels/kernel.js';
import type { Data } from './values.js';

/** One kernel call. */
interface Step {
  readonly run: Run<'any'>;
  readonly inputs: readonly ValueId[];
  readonly output: ValueId;
  /** Values that nothing needs afterwards. */
  readonly free: readonly ValueId[];
}

export function programOf(graph: Graph, kernels: KernelTable): DeviceProgram<Data> {
  const prepared = prepare(graph);
  const steps = schedule(prepared, kernels);
  return {
    run(given) {
      const values = new Map<ValueId, Data>();
      // Host arrays and results of earlier runs lie in the same memory here; a device would upload the former.
      prepared.inputs.forEach(({ value }, i) => values.set(value, stored(prepared.types[value]!, given[i]!)));
      for (const { run, inputs, output, free } of steps) {
        values.set(output, run(...inputs.map((input) => values.get(input)!)));
        for (const value of free) values.delete(value);
      }
      // A copy: two outputs may be one value, or an input.
      return prepared.outputs.map(({ value }) => values.get(value)!.slice());
    },
  };
}

/** What an input is held as: of a host array, which is lent, a copy where it is rounded. */
function stored(type: TensorType, given: HostArray | Data): Data {
  if (!(given instanceof HostArray)) return given;
  return type.dtype === 'float16' ? rounded(given.data.slice() as Data) : (given.data as Data);
}

/** The nearest float16 of each element, in place: they lie in a Float32Array here. */
function rounded(data: Data): Data {
  for (let i = 0; i < data.length; i++) data[i] = roundToHalf(data[i]!);
  return data;
}

function schedule(graph: Graph, kernels: KernelTable): Step[] {
  const lastUse = new Map<ValueId, number>();
  graph.instructions.forEach(({ inputs }, at) => inputs.forEach((input) => lastUse.set(input, at)));
  const kept = new Set(graph.outputs.map(({ value }) => value));
  return graph.instructions.map(({ op, attributes, inputs, outputs: [output] }, at) => {
    if (op === 'composite') throw new Error('Internal: prepare() left a composite.');
    const kernel = kernels[op] as Kernel<'any'>;
    const compute = kernel({
      inputs: inputs.map((input) => graph.types[input]!),
      output: graph.types[output]!,
      attributes,
    });
    const isHalf = graph.types[output]!.dtype === 'float16';
    const run: Run<'any'> = isHalf ? (...operands) => rounded(compute(...operands)) : compute;
    const free = [...new Set(inputs)].filter((value) => lastUse.get(value) === at && !kept.has(value));
    return { run, inputs, output, free };
  });
}
