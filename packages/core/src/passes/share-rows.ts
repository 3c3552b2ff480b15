/**
 * shareRows: common subexpressions modulo a stretch of rows. What is computed of some rows, where the same is computed of all of
 * them, is those rows of the whole: `op(x[a:b])` becomes `op(x)[a:b]` where `op(x)` exists. A MeanFlow step evaluates its network
 * on the whole batch and differentiates it on the rows that have an interval; by this its primal is computed once.
 *
 * It is `simplify` with one rule more: what was found is a slice again, so that the next is found too. It comes first, for of equal
 * instructions on rows only one is left afterwards, which may stand before what is computed of all; and it takes composites apart as
 * `inline` does, for the insides of one are shared with those of another.
 */
import type { Graph } from '../graph.js';
import { simplifying } from '../simplify.js';
import type { PassContext, Passing } from './pass.js';

export function* shareRows(graph: Graph, { hasKernel }: PassContext): Passing {
  if (!graph.instructions.some(({ op }) => op === 'slice')) return graph;
  const hooks = { dropStopGradient: true, shareRows: true };
  return yield* simplifying(graph, { ...hooks, inline: (call) => !hasKernel(call) });
}
