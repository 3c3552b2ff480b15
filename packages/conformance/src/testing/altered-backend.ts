/** Backends that are wrong in one place, made from the reference: what a case must notice. */
import { Graph, HostArray, referenceBackend, sizeOf, type Backend, type RunInput } from '@meanflow/core';
import type { Instruction } from '@meanflow/core/backend';

/** The inputs of run `run`, which counts from 0, of one executable. */
type Alter = (inputs: Readonly<Record<string, RunInput>>, run: number) => Readonly<Record<string, RunInput>>;

/** The reference with other inputs for each run. `alterer` is called once for each executable. */
export function withAlteredInputs(alterer: () => Alter): Backend {
  const reference = referenceBackend();
  return {
    ...reference,
    compile: async (graph, options) => {
      const executable = await reference.compile(graph, options);
      const alter = alterer();
      let runs = 0;
      return {
        ...executable,
        run: (inputs, runOptions) => executable.run(alter(inputs, runs++), runOptions),
      };
    },
  };
}

/** The reference that compiles other graphs than it is given. */
export function withAlteredGraphs(alter: (graph: Graph) => Graph): Backend {
  const reference = referenceBackend();
  return { ...reference, compile: (graph, options) => reference.compile(alter(graph), options) };
}

/** The graph with the first operand of the `k`th of some instructions times `factor`; as it is where there are fewer. */
export function scaleOperand(
  graph: Graph,
  isOne: (instruction: Instruction) => boolean,
  k: number,
  factor: number,
): Graph {
  const changed = graph.instructions.filter(isOne)[k];
  if (changed === undefined) return graph;
  const at = graph.instructions.indexOf(changed);
  const [operand, ...others] = changed.inputs;
  const type = operand === undefined ? undefined : graph.types[operand];
  if (operand === undefined || type === undefined) return graph;
  const [scale, scaled] = [graph.types.length, graph.types.length + 1];
  const data = new Float32Array(sizeOf(type.shape)).fill(factor);
  const value = new HostArray('float32', type.shape, data);
  const instructions: Instruction[] = [
    ...graph.instructions.slice(0, at),
    { op: 'constant', attributes: { dtype: 'float32', value }, inputs: [], outputs: [scale] },
    { op: 'mul', attributes: {}, inputs: [operand, scale], outputs: [scaled] },
    { ...changed, inputs: [scaled, ...others] } as Instruction,
    ...graph.instructions.slice(at + 1),
  ];
  return new Graph(graph.name, [...graph.types, type, type], graph.inputs, instructions, graph.outputs);
}
