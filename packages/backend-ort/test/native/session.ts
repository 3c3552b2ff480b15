/** Graphs in sessions that have our own kernels, against the reference interpreter, and which nodes they became. */
import { fromBinary } from '@bufbuild/protobuf';
import { HostArray, sizeOf, spec, trace, type Graph, type Shape, type Tensor } from '@meanflow/core';
import { interpret } from '@meanflow/core/backend';
import { toOnnx } from '../../src/lower-graph.js';
import { ortBackend, type OrtBackend } from '../../src/index.js';
import { ModelProtoSchema } from 'onnx-buf';
import { ort } from '../support.js';

export const ownBackend = (threads: number): Promise<OrtBackend> =>
  ortBackend({ ort, threads, binding: 'native', kernels: true });

export const wave = (shape: Shape, phase: number) =>
  new HostArray(
    'float32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(0.7 * i * (phase + 1) + phase)),
  );

export interface Case {
  readonly f: (...inputs: Tensor[]) => Tensor | readonly Tensor[];
  readonly shapes: readonly Shape[];
  /** The inputs that are constants of the session. */
  readonly constants?: readonly number[];
}

export function graphOf({ f, shapes }: Case): Graph {
  return trace((given: Tensor[]) => {
    const made = f(...given);
    return Array.isArray(made) ? (made as readonly Tensor[]) : [made as Tensor];
  }, shapes.map((shape) => spec(shape))).graph; // prettier-ignore
}

/** The ops of the nodes that a graph becomes. */
export const nodesOf = (graph: Graph): readonly string[] =>
  fromBinary(ModelProtoSchema, toOnnx(graph, 'cpu', { ownKernels: { threads: 2 } })).graph!.node.map(
    ({ opType }) => opType,
  );

/** The largest difference of any output. */
export async function largestError(backend: OrtBackend, given: Case): Promise<number> {
  const graph = graphOf(given);
  const inputs = Object.fromEntries(given.shapes.map((shape, i) => [`${i}`, wave(shape, i)]));
  const isConstant = (name: string) => given.constants?.includes(Number(name)) ?? false;
  const entries = Object.entries(inputs);
  const executable = await backend.compile(graph, {
    constants: Object.fromEntries(entries.filter(([name]) => isConstant(name))),
  });
  const results = await executable.run(Object.fromEntries(entries.filter(([name]) => !isConstant(name))));
  const expected = interpret(graph, inputs);
  let worst = 0;
  for (const [name, { data }] of Object.entries(expected)) {
    const found = (await results[name]!.read()).data;
    expect(found).toHaveLength(data.length);
    // NaN is no agreement.
    data.forEach(
      (x, i) => (worst = Math.max(worst, Number.isNaN(found[i]) ? Infinity : Math.abs(x - found[i]!))),
    );
    results[name]!.dispose?.();
  }
  await executable.dispose();
  return worst;
}
