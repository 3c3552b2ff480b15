/**
 * prepare: what a backend does to a graph before lowering it. Composites that the backend has no kernel for are
 * replaced by their decomposition, `stopGradient` has done its work and goes, and the rest is simplified. A composite
 * with a kernel is still taken apart where part of its inside is computed beside it anyway (the derivative of SiLU
 * needs the same sigmoid), for then the whole would compute that part twice.
 */
import type { Graph, ValueId } from './graph.js';
import type { CompositeCall } from './ops/composite.js';
import { simplify } from './simplify.js';

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

/** Composite calls of which some first step on the operands is also an instruction of its own. */
function sharedCalls(graph: Graph): Set<CompositeCall> {
  const key = (op: string, inputs: readonly ValueId[]) => `${op} ${inputs.join(' ')}`;
  const present = new Set(graph.instructions.map(({ op, inputs }) => key(op, inputs)));
  const shared = new Set<CompositeCall>();
  for (const { op, attributes, inputs } of graph.instructions) {
    if (op !== 'composite') continue;
    const { body } = attributes;
    const outer = new Map(body.inputs.map(({ value }, i) => [value, inputs[i]]));
    const isShared = body.instructions.some(
      (inner) =>
        inner.inputs.length > 0 &&
        inner.inputs.every((input) => outer.has(input)) &&
        present.has(
          key(
            inner.op,
            inner.inputs.map((input) => outer.get(input)!),
          ),
        ),
    );
    if (isShared) shared.add(attributes);
  }
  return shared;
}
