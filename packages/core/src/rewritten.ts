/** rewritten: a function of trees as a program that somebody does something with, in the place where it is called. */
import { closeOver } from './composite.js';
import type { Graph } from './graph.js';
import { treeFlatten, type Tree, type TreeOf, type TreeStructure } from './pytree.js';
import type { Tensor } from './tensor.js';

/**
 * A function of trees whose program is rewritten, or taken whole, instead of being traced in place.
 *
 * @param name of the program, where `f` has none
 * @param run what becomes of the program and its inputs, captured tensors among them
 */
export function rewritten<
  Args extends readonly unknown[] & TreeOf<Args, Tensor>,
  Out extends TreeOf<Out, Tensor>,
>(
  f: (...args: Args) => Out,
  name: string,
  run: (body: Graph, inputs: readonly Tensor[]) => readonly Tensor[],
): (...args: Args) => Out {
  return (...args) => {
    const { leaves, structure } = treeFlatten(args as Tree<Tensor>);
    let outStructure: TreeStructure | undefined;
    const { body, captures } = closeOver(f.name || name, leaves, (inputs) => {
      const out = treeFlatten(f(...structure.unflatten<Tensor, Args>(inputs)) as Tree<Tensor>);
      outStructure = out.structure;
      return out.leaves;
    });
    return outStructure!.unflatten<Tensor, Out>(run(body, [...leaves, ...captures]));
  };
}
