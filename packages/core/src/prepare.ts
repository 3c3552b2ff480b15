/**
 * prepare: what a backend does to a graph before lowering it, as a list of passes (`passes/`), each of which makes another graph of the
 * same values. Composites that the backend has no kernel for are replaced by their decomposition, the rest is simplified, and
 * where the backend has kernels for fused calls, what can run together is made one.
 */
import { drain } from './giving-way.js';
import type { Graph } from './graph.js';
import type { PassContext, Passing } from './passes/pass.js';
import { passes, type OptionalPass, type PassName } from './passes/passes.js';

export interface PrepareOptions {
  /** Whether the backend has a kernel for this composite. By default it has none. */
  readonly hasKernel?: PassContext['hasKernel'];
  /** Passes to leave out; none by default. */
  readonly without?: readonly OptionalPass[];
  /** Called after each pass, with what it made. */
  readonly onPass?: (name: PassName, graph: Graph) => void;
}

/** A graph ready to be lowered: primitives, and composites that the backend takes whole. */
export function prepare(graph: Graph, options: PrepareOptions = {}): Graph {
  return drain(preparing(graph, options));
}

/** {@link prepare} in small steps: a generator that gives way every millisecond or so, and returns what `prepare` does. */
export function* preparing(
  graph: Graph,
  { hasKernel = () => false, without = [], onPass }: PrepareOptions = {},
): Passing {
  let current = graph;
  for (const [name, pass] of Object.entries(passes) as [PassName, (typeof passes)[PassName]][]) {
    if ((without as readonly PassName[]).includes(name)) continue;
    current = yield* pass(current, { hasKernel, sharesRows: !without.includes('shareRows') });
    onPass?.(name, current);
  }
  return current;
}
