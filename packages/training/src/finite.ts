/** Whether numbers are finite: of whole trees, leaf by leaf, and which leaf is the worst. */
import { drain, treePaths, type HostArray, type Steps, type Tree } from '@meanflow/core';

/** A leaf that holds values which are infinite or not a number. */
export interface NonFiniteLeaf {
  /** Where it is in its tree. */
  readonly path: string;
  /** How many of its values are not finite. */
  readonly count: number;
  /** How many values it has. */
  readonly size: number;
}

/** Values of an array that are infinite or not a number. */
export function countNonFinite({ data }: Pick<HostArray, 'data'>): number {
  let count = 0;
  // x − x is 0 for every finite number and NaN for the others; a loop, for it runs over all of a state.
  for (let i = 0; i < data.length; i++) if (data[i]! - data[i]! !== 0) count++;
  return count;
}

/** The leaves of a tree that are not finite, in the tree's order. */
export function nonFiniteLeaves(tree: Tree<HostArray>): NonFiniteLeaf[] {
  return drain(findingNonFinite(tree));
}

/** {@link nonFiniteLeaves} in steps, one for each leaf. */
export function* findingNonFinite(tree: Tree<HostArray>): Steps<NonFiniteLeaf[]> {
  const found: NonFiniteLeaf[] = [];
  for (const { path, leaf } of treePaths<HostArray>(tree)) {
    const count = countNonFinite(leaf);
    if (count > 0) found.push({ path, count, size: leaf.data.length });
    yield;
  }
  return found;
}

/** Of several, the leaf of which the largest part is not finite; the first of equals. */
export function worstLeaf(leaves: readonly NonFiniteLeaf[]): NonFiniteLeaf | undefined {
  return leaves.reduce<NonFiniteLeaf | undefined>(
    (worst, leaf) =>
      worst === undefined || leaf.count / leaf.size > worst.count / worst.size ? leaf : worst,
    undefined,
  );
}
