/**
 * A pass of `prepare`: a graph to a graph of the same inputs, outputs and values. It works in steps, so that it can give way.
 */
import type { Steps } from '../giving-way.js';
import type { Graph } from '../graph.js';
import type { CompositeCall } from '../tensor.js';

/** What a pass knows of whom the graph is prepared for. */
export interface PassContext {
  /** Whether the backend has a kernel for this composite. */
  readonly hasKernel: (call: CompositeCall) => boolean;
  /** Whether `shareRows` is among the passes, so that those which take composites apart after it do its work too. */
  readonly sharesRows: boolean;
}

export type Passing = Steps<Graph>;

export type Pass = (graph: Graph, context: PassContext) => Passing;
