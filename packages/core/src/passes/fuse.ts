/**
 * fuse: clusters of elementwise instructions, with reductions over trailing axes, become calls of core's `fused`, each of
 * which a backend computes in one walk over memory: AdamW with weight decay and averages of a parameter is one call, and so
 * is a normalisation with its tangent, modulation and the residual before it. Nothing is computed twice. Clusters that the
 * backend has no kernel for stay as they were.
 */
import { closeGraph, Graph } from '../graph.js';
import { Tensor, type Instruction } from '../tensor.js';
import { fusedCall } from './fusion/body.js';
import { Clustering } from './fusion/cluster.js';
import type { PassContext, Passing } from './pass.js';

export function* fuse(graph: Graph, { hasKernel }: PassContext): Passing {
  const clustering = new Clustering(graph);
  const clusters = yield* clustering.run();
  /** The call that stands for an instruction. */
  const calls = new Map<number, Instruction>();
  for (const cluster of clusters) {
    const call = fusedCall(graph, clustering, cluster);
    if (hasKernel(call.attributes)) for (const i of cluster.members) calls.set(i, call);
    yield;
  }
  if (calls.size === 0) return graph;
  const instructions = yield* inOrder(
    graph,
    graph.instructions.map((instruction, i) => calls.get(i) ?? instruction),
  );
  // Once more, for what nobody reads any longer goes.
  const inputs = graph.inputs.map(({ name, value }) => ({
    name,
    tensor: Tensor.emit('input', [], { name }, graph.types[value]!),
  }));
  const outputs = new Graph(graph.name, graph.types, graph.inputs, instructions, graph.outputs).apply(
    inputs.map(({ tensor }) => tensor),
  );
  return closeGraph(
    graph.name,
    inputs,
    graph.outputs.map(({ name }, i) => ({ name, tensor: outputs[i]! })),
  );
}

/** Each of the units once, where its operands are there; as near to their order as that allows, the last place of each counting. */
function* inOrder({ types }: Graph, units: readonly Instruction[]): Generator<void, Instruction[]> {
  const maker = new Array<Instruction | undefined>(types.length);
  const last = new Map<Instruction, number>();
  units.forEach((unit, i) => {
    last.set(unit, i);
    for (const output of unit.outputs) maker[output] = unit;
  });
  const done = new Set<Instruction>();
  const order: Instruction[] = [];
  for (const [i, unit] of units.entries()) {
    if (i % 256 === 255) yield;
    if (last.get(unit) !== i) continue;
    const pending = [unit];
    for (let next = pending.at(-1); next !== undefined; next = pending.at(-1)) {
      const missing = done.has(next)
        ? []
        : next.inputs.flatMap((input) => {
            const needed = maker[input];
            return needed === undefined || done.has(needed) ? [] : [needed];
          });
      if (missing.length > 0) {
        pending.push(...missing);
        continue;
      }
      pending.pop();
      if (done.has(next)) continue;
      done.add(next);
      order.push(next);
    }
  }
  return order;
}
