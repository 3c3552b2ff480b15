/** Orders in which runtimes execute a graph's instructions, other than the one in which they stand. */
import { Graph } from '../../src/index.js';
import type { Instruction } from '../../src/backend-door.js';

/**
 * ONNX Runtime's default order: depth first from what nothing reads, later instructions before earlier ones, each after all that it
 * needs (`Graph::ReverseDFSFrom`, `GraphViewer`).
 */
export function depthFirst(graph: Graph): Graph {
  const { instructions } = graph;
  const makers = new Map<number, number>();
  instructions.forEach(({ outputs }, i) => outputs.forEach((output) => makers.set(output, i)));
  const needs = instructions.map(({ inputs }) =>
    inputs.flatMap((input) => makers.get(input) ?? []).sort((a, b) => a - b),
  );
  const isRead = new Set(needs.flat());
  const pending = instructions.flatMap((_, i) => (isRead.has(i) ? [] : [{ i, isDone: false }]));
  const met = new Set<number>();
  const order: Instruction[] = [];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { i, isDone } = next;
    if (isDone) order.push(instructions[i]);
    if (isDone || met.has(i)) continue;
    met.add(i);
    pending.push({ i, isDone: true }, ...needs[i].map((need) => ({ i: need, isDone: false })));
  }
  return new Graph(graph.name, graph.types, graph.inputs, order, graph.outputs);
}
