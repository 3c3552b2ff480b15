/**
 * Trees whose structure is known at run time only: the same operations as core's typed ones, for `Tree<L>` itself,
 * whose mapped types the compiler cannot unfold.
 */
import { treeFlatten, treePaths, treeZip, type Tensor, type Tree } from '@meanflow/core';

/** Applies `f` to every leaf. */
export function mapTree<From, To>(f: (leaf: From) => To, tree: Tree<From>): Tree<To> {
  const { leaves, structure } = treeFlatten<From>(tree);
  return structure.unflatten(leaves.map((leaf) => f(leaf)));
}

/** A tree of the structure of `first` made from the leaves of several. @throws {PytreeError} when they differ */
export function zipLeaves<P extends Tree<Tensor>>(
  context: string,
  first: P,
  others: readonly Tree<Tensor>[],
  f: (leaves: Tensor[]) => Tensor,
): P {
  const leaves = treeZip<Tensor>(context, first, ...others).map((zipped) => f(zipped.leaves));
  return treeFlatten<Tensor>(first).structure.unflatten(leaves) as P;
}

/** Leaves by path. */
export function flattenTree<L>(tree: Tree<L>): Record<string, L> {
  return Object.fromEntries(treePaths<L>(tree).map(({ path, leaf }) => [path, leaf]));
}
