/**
 * simplify: the same values from fewer instructions. One forward walk re-emits a graph through rewrite rules,
 * constant folding and common-subexpression elimination; closing the result over its outputs drops what is dead. The
 * walk is repeated until nothing changes. The result can still be differentiated: `stopGradient` and composites stay.
 */
import { Emitter, type SimplifyHooks } from './emitter.js';
import { drain, type Steps } from './giving-way.js';
import { closeGraph, type Graph } from './graph.js';
import type { Passing } from './passes/pass.js';
import { Tensor } from './tensor.js';

export type { SimplifyHooks } from './emitter.js';

const MAX_PASSES = 8;

/** A graph that computes the same outputs with no dead, repeated or foldable instructions. */
export function simplify(graph: Graph, hooks: SimplifyHooks = {}): Graph {
  return drain(simplifying(graph, hooks));
}

/** {@link simplify} in small steps. */
export function* simplifying(graph: Graph, hooks: SimplifyHooks): Passing {
  let current = graph;
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const { graph: next, changed } = yield* onePass(current, hooks);
    const settled = !changed && next.instructions.length === current.instructions.length;
    current = next;
    if (settled) break;
  }
  return current;
}

function* onePass(graph: Graph, hooks: SimplifyHooks): Steps<{ graph: Graph; changed: boolean }> {
  const emitter = new Emitter(hooks);
  const inputs = graph.inputs.map(({ name, value }) => ({
    name,
    tensor: Tensor.emit('input', [], { name }, graph.types[value]!),
  }));
  const outputs = yield* emitter.apply(
    graph,
    inputs.map(({ tensor }) => tensor),
  );
  const closed = closeGraph(
    graph.name,
    inputs,
    graph.outputs.map(({ name }, i) => ({ name, tensor: outputs[i]! })),
  );
  return { graph: closed, changed: emitter.changed };
}
