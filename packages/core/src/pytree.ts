/**
 * Pytrees: parameters, states and batches are plain nested objects and arrays, and functions over them keep their
 * type. A leaf is anything that is neither an array nor a plain object (a Tensor, a HostArray, a number);
 * `undefined` is an absent subtree. Objects are walked in sorted key order, so that two trees with the same keys
 * have the same leaves in the same order however they were written down. A HostArray that was posted to a worker is an
 * object literal since; it counts as the leaf that it was.
 */
import { PytreeError } from './errors.js';
import { HostArray, isHostArrayFields, toHostArray } from './host-array.js';

/** A tree with leaves of type `L`, of any form. */
export type Tree<L> = L | undefined | readonly Tree<L>[] | { readonly [key: string]: Tree<L> };

/** Whether `T` is a tree of any form: whatever has its own kind below any key. */
type IsAnyTree<T> = [undefined | readonly T[] | { readonly [key: string]: T }] extends [T] ? true : false;

/** What is no node of a tree and, unless it is asked for, no leaf. */
type Plain = string | number | bigint | boolean | symbol | null | ((...given: never) => unknown);

/**
 * What `T` must be to be a tree with leaves of type `L`, as in `T extends TreeOf<T, L>`. An interface is one as much as an
 * object's type is; to {@link Tree} it is not, for it has no index signature.
 */
export type TreeOf<T, L> = Tree<L> | { readonly [K in keyof T]: BranchOf<T[K], L> };

type BranchOf<T, L> =
  IsAnyTree<T> extends true ? Tree<L> : [T] extends [Plain] ? L | undefined : TreeOf<T, L>;

/**
 * The type of `T` with every leaf of type `From` replaced by `To`. Of a tree of any form that is one again: its branches
 * go on for ever, and the compiler would list them.
 */
export type MapLeaves<T, From, To> =
  IsAnyTree<T> extends true
    ? Tree<To>
    : T extends From
      ? To
      : T extends undefined
        ? undefined
        : T extends object
          ? { [K in keyof T]: MapLeaves<T[K], From, To> }
          : T;

/** A leaf with its place: keys and indices joined by `/`, empty for a tree that is a single leaf. */
export interface PathLeaf<L> {
  readonly path: string;
  readonly leaf: L;
}

/** The structure of a tree without its leaves. */
export interface TreeStructure {
  readonly paths: readonly string[];
  /**
   * A tree of this structure from leaves in order; `T` is its type, where the caller knows more than that it is a tree.
   *
   * @throws {PytreeError} when the count differs
   */
  unflatten<L>(leaves: readonly L[]): Tree<L>;
  unflatten<L, T>(leaves: readonly L[]): T;
}

/** Whether a value is an inner node: an array, or an object literal without functions, which some backend's array may be. */
function isNode(value: unknown): value is readonly unknown[] | Record<string, unknown> {
  if (Array.isArray(value)) return true;
  if (typeof value !== 'object' || value === null || isHostArrayFields(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // A literal's prototype is the root of the chain, also when it comes from another realm.
  const isLiteral = prototype === null || Object.getPrototypeOf(prototype) === null;
  return isLiteral && !Object.values(value).some((child) => typeof child === 'function');
}

function leafOf(value: unknown): unknown {
  return value instanceof HostArray || !isHostArrayFields(value) ? value : toHostArray(value);
}

function entries(node: readonly unknown[] | Record<string, unknown>): [string, unknown][] {
  if (Array.isArray(node)) return node.map((child, index) => [String(index), child]);
  return Object.keys(node)
    .sort()
    .map((key) => [key, (node as Record<string, unknown>)[key]]);
}

/** Leaves in order, each with its path. */
export function treePaths<L>(tree: Tree<L>): PathLeaf<L>[] {
  const found: PathLeaf<L>[] = [];
  const walk = (value: unknown, path: string): void => {
    if (value === undefined) return;
    if (!isNode(value)) found.push({ path, leaf: leafOf(value) as L });
    else for (const [key, child] of entries(value)) walk(child, path === '' ? key : `${path}/${key}`);
  };
  walk(tree, '');
  return found;
}

/** Leaves in order. */
export function treeLeaves<L>(tree: Tree<L>): L[] {
  return treePaths(tree).map(({ leaf }) => leaf);
}

/** A tree's leaves, and the structure that puts them back. */
export function treeFlatten<L>(tree: Tree<L>): { leaves: L[]; structure: TreeStructure } {
  const flat = treePaths(tree);
  const build = builderOf(tree);
  function unflatten<M>(leaves: readonly M[]): Tree<M>;
  function unflatten<M, T>(leaves: readonly M[]): T;
  function unflatten(leaves: readonly unknown[]): unknown {
    if (leaves.length !== flat.length) {
      throw new PytreeError(`A tree of ${flat.length} leaves cannot be built from ${leaves.length}.`);
    }
    return build(leaves[Symbol.iterator]());
  }
  return {
    leaves: flat.map(({ leaf }) => leaf),
    structure: { paths: flat.map(({ path }) => path), unflatten },
  };
}

/** What builds a tree of the same form from leaves; it holds on to neither the tree nor its leaves. */
function builderOf(value: unknown): (leaves: Iterator<unknown>) => unknown {
  if (value === undefined) return () => undefined;
  if (!isNode(value)) return (leaves) => leaves.next().value;
  const children = entries(value).map(([key, child]) => [key, builderOf(child)] as const);
  if (Array.isArray(value)) return (leaves) => children.map(([, build]) => build(leaves));
  return (leaves) => Object.fromEntries(children.map(([key, build]) => [key, build(leaves)]));
}

/**
 * Applies `f` to every leaf, keeping structure and type.
 *
 * @param f receives the leaf and its path
 */
export function treeMap<From, To, T extends TreeOf<T, From>>(
  f: (leaf: From, path: string) => To,
  tree: T & TreeOf<T, From>,
): MapLeaves<T, From, To> {
  const { leaves, structure } = treeFlatten(tree as Tree<From>);
  return structure.unflatten<To, MapLeaves<T, From, To>>(
    leaves.map((leaf, i) => f(leaf, structure.paths[i]!)),
  );
}

/** Leaves by path. */
export function treeRecord<L>(tree: Tree<L>): Record<string, L> {
  return Object.fromEntries(treePaths(tree).map(({ path, leaf }) => [path, leaf]));
}

/** A leaf of each of some trees. */
type LeafOfEach<Trees extends readonly unknown[], L> = { readonly [I in keyof Trees]: L };

/**
 * The leaves of several trees of one structure, leaf by leaf.
 *
 * @param context what is being done, for the error
 * @throws {PytreeError} naming the first path in which the trees differ
 */
export function treeZip<L, Others extends readonly Tree<L>[] = readonly Tree<L>[]>(
  context: string,
  first: Tree<L>,
  ...others: Others
): { path: string; leaves: readonly [L, ...LeafOfEach<Others, L>] }[] {
  const reference = treePaths(first);
  const flats = others.map((tree) => treePaths(tree));
  for (const flat of flats) assertSamePaths(context, reference, flat);
  return reference.map(({ path, leaf }, i) => {
    const rest: readonly L[] = flats.map((flat) => flat[i]!.leaf);
    return { path, leaves: [leaf, ...(rest as LeafOfEach<Others, L>)] };
  });
}

/**
 * A tree of the structure and type of `first`, of what `f` makes of the leaves of several trees, leaf by leaf.
 *
 * @param context what is being done, for the error
 * @throws {PytreeError} naming the first path in which the trees differ
 */
export function treeZipMap<L, T extends TreeOf<T, L>, Others extends readonly Tree<L>[]>(
  context: string,
  f: (leaf: L, ...others: LeafOfEach<Others, L>) => L,
  first: T,
  ...others: Others
): T {
  const tree = first as Tree<L>;
  const leaves = treeZip<L, Others>(context, tree, ...others).map((zipped) => f(...zipped.leaves));
  return treeFlatten(tree).structure.unflatten<L, T>(leaves);
}

/** @throws {PytreeError} naming the first path that only one of two trees has. */
export function assertSamePaths(
  context: string,
  expected: readonly { readonly path: string }[],
  given: readonly { readonly path: string }[],
): void {
  const expectedPaths = new Set(expected.map(({ path }) => path));
  const givenPaths = new Set(given.map(({ path }) => path));
  const missing = [...expectedPaths].find((path) => !givenPaths.has(path));
  const extra = [...givenPaths].find((path) => !expectedPaths.has(path));
  if (missing === undefined && extra === undefined) return;
  const parts = [
    missing === undefined ? '' : `leaf "${missing}" is missing`,
    extra === undefined ? '' : `leaf "${extra}" is not expected`,
  ].filter((part) => part !== '');
  throw new PytreeError(`${context}: the trees differ in structure: ${parts.join(', and ')}.`);
}
