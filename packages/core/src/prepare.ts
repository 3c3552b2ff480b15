/**
 * prepare: what a backend does to a graph before lowering it. Composites that the backend has no kernel for are
 * replaced by their decomposition, `stopGradient` has done its work and goes, and the rest is simplified. A composite
 * with a kernel is still taken apart where part of its inside is computed beside it anyway (the derivative of SiLU
 * needs the same sigmoid), for then the whole would compute that part twice.
 */
import { Emitter } from './emitter.js';
import type { Graph } from './graph.js';
import { meaningOf } from './ops/table.js';
import { simplify } from './simplify.js';
import { Tensor, type CompositeCall } from './tensor.js';

export interface PrepareOptions {
  /** Whether the backend has a kernel for this composite. By default it has none. */
  readonly hasKernel?: (call: CompositeCall) => boolean;
}

/** A graph ready to be lowered: primitives, and composites that the backend takes whole. */
export function prepare(graph: Graph, { hasKernel = () => false }: PrepareOptions = {}): Graph {
  const kept = simplify(graph, { dropStopGradient: true, inline: (call) => !hasKernel(call) });
  const shared = sharedCalls(kept);
  if (shared.size === 0) return kept;
  return simplify(kept, { dropStopGradient: true, inline: (call) => shared.has(call) });
}

/** Composite calls whose decomposition would find some of its work done already by other instructions. */
function sharedCalls(graph: Graph): Set<CompositeCall> {
  const calls: { readonly call: CompositeCall; readonly inputs: readonly Tensor[] }[] = [];
  const emitter = new Emitter({
    dropStopGradient: true,
    inline: (call, inputs) => {
      calls.push({ call, inputs });
      return false;
    },
  });
  emitter.apply(
    graph,
    graph.inputs.map(({ name, value }) => Tensor.emit('input', [], { name }, graph.types[value]!)),
  );
  const outside = new Set(emitter.emitted());
  const shared = new Set<CompositeCall>();
  for (const { call, inputs } of [...calls]) {
    emitter.onReuse = (known) => {
      if (outside.has(known) && isWork(known)) shared.add(call);
    };
    emitter.apply(call.body, inputs);
  }
  return shared;
}

/** Whether a value is computed, and not only placed. */
function isWork({ node, dtype, shape }: Tensor): boolean {
  if (node.op === 'input' || node.op === 'alias') return false;
  if (node.op === 'composite') return true;
  return meaningOf(node.op).flops(node.inputs, { dtype, shape }, node.attributes) > 0;
}
