/** inline: composites that the backend has no kernel for become their decompositions, `stopGradient` goes, and the rest is simplified. */
import { simplifying } from '../simplify.js';
import type { PassContext, Passing } from './pass.js';
import type { Graph } from '../graph.js';

export function inline(graph: Graph, { hasKernel }: PassContext): Passing {
  return simplifying(graph, { dropStopGradient: true, inline: (call) => !hasKernel(call) });
}
