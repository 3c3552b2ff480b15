/**
 * The order of a model's nodes, which decides how much memory a run takes. ONNX Runtime does not run nodes in the
 * order of the file. It walks backward from the nodes that nobody reads, the last of the file first, and at each node
 * does first what the input that stands last in the file needs; a node runs when all it needs has run. So what should
 * run first has to stand last.
 *
 * What should run first is what needs least: the update of the parameters whose gradient is complete, before the
 * backward pass goes on. Activations are then let go as the backward pass passes them. In the other order every
 * weight gradient waits for the end, and with it the activation and the cotangent that it is made of.
 */
import { readBy, type Node, type ValueName } from './model.js';

/** The nodes in an order in which each stands after its inputs and, of what is left free, those that need most first. */
export function orderForExecution(nodes: readonly Node[]): Node[] {
  const producers = new Map<ValueName, Node>(
    nodes.flatMap((node) => node.results.map((result) => [result, node] as const)),
  );
  const inputs = new Map<Node, readonly Node[]>(
    nodes.map((node) => [node, readBy(node).flatMap((name) => producers.get(name) ?? [])]),
  );
  const depths = new Map<Node, number>();
  for (const node of nodes) {
    depths.set(node, 1 + Math.max(0, ...inputs.get(node)!.map((input) => depths.get(input)!)));
  }
  // Of two that are equally deep, the first in the program runs first and stands last.
  const position = new Map(nodes.map((node, i) => [node, i]));
  const deepestFirst = (a: Node, b: Node) =>
    depths.get(b)! - depths.get(a)! || position.get(b)! - position.get(a)!;
  const isRead = new Set([...inputs.values()].flat());
  const leaves = nodes.filter((node) => !isRead.has(node)).sort(deepestFirst);

  const ordered: Node[] = [];
  const visited = new Set<Node>();
  // Depth first without recursion: a program can be deeper than the stack.
  const stack = leaves.reverse().map((node) => ({ node, isDone: false }));
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { node, isDone } = top;
    if (isDone) ordered.push(node);
    if (isDone || visited.has(node)) continue;
    visited.add(node);
    stack.push({ node, isDone: true });
    const next = [...inputs.get(node)!].sort(deepestFirst).reverse();
    stack.push(...next.map((input) => ({ node: input, isDone: false })));
  }
  return ordered;
}
