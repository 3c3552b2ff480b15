/**
 * A pass of `prepare`: a graph to a graph of the same inputs, outputs and values. It is a generator, which gives way where it is drained
 * by someone who has other things to do meanwhile; what it yields has no meaning.
 */
import type { Graph } from '../graph.js';
import type { CompositeCall } from '../tensor.js';

/** What a pass knows of whom the graph is prepared for. */
export interface PassContext {
  /** Whether the backend has a kernel for this composite. */
  readonly hasKernel: (call: CompositeCall) => boolean;
  /** Whether `shareRows` is among the passes, so that those which take composites apart after it do its work too. */
  readonly sharesRows: boolean;
}

export type Passing = Generator<void, Graph>;

export type Pass = (graph: Graph, context: PassContext) => Passing;

/** Runs a generator to its end without giving way. */
export function drain<T>(steps: Generator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
