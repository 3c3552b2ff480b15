/**
 * openShared: a composite with a kernel is taken apart all the same where part of its inside is computed beside it anyway (the
 * derivative of SiLU needs the same sigmoid), for then the whole would compute that part twice.
 */
import { Emitter, type SimplifyHooks } from '../emitter.js';
import type { Graph } from '../graph.js';
import { meaningOf } from '../ops/table.js';
import { simplifying } from '../simplify.js';
import { Tensor, type CompositeCall } from '../tensor.js';
import type { PassContext, Passing } from './pass.js';

export function* openShared(graph: Graph, { hasKernel, sharesRows }: PassContext): Passing {
  const hooks = { dropStopGradient: true, shareRows: sharesRows };
  const shared = yield* sharedCalls(graph, hooks);
  if (shared.size === 0) return graph;
  // What is opened may hold composites that were never looked at.
  const inline = (call: CompositeCall): boolean => shared.has(call) || !hasKernel(call);
  return yield* simplifying(graph, { ...hooks, inline });
}

/** Composite calls whose decomposition would find some of its work done already by other instructions. */
function* sharedCalls(graph: Graph, hooks: SimplifyHooks): Generator<void, Set<CompositeCall>> {
  const calls: { readonly call: CompositeCall; readonly inputs: readonly Tensor[] }[] = [];
  const shared = new Set<CompositeCall>();
  if (!graph.instructions.some(({ op }) => op === 'composite')) return shared;
  const emitter = new Emitter({
    ...hooks,
    inline: (call, inputs) => {
      calls.push({ call, inputs });
      return false;
    },
  });
  yield* emitter.apply(
    graph,
    graph.inputs.map(({ name, value }) => Tensor.emit('input', [], { name }, graph.types[value]!)),
  );
  const outside = new Set(emitter.emitted());
  for (const { call, inputs } of [...calls]) {
    emitter.onReuse = (known) => {
      if (outside.has(known) && isWork(known)) shared.add(call);
    };
    yield* emitter.apply(call.body, inputs);
  }
  return shared;
}

/** Whether a value is computed, and not only placed. */
function isWork({ node, dtype, shape }: Tensor): boolean {
  if (node.op === 'input' || node.op === 'alias') return false;
  if (node.op === 'composite') return true;
  return meaningOf(node.op).flops(node.inputs, { dtype, shape }, node.attributes) > 0;
}
