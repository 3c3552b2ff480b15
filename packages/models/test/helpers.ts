/** What the tests of this package share. */
import {
  HostArray,
  trace,
  treeFlatten,
  valueAndGrad,
  type Graph,
  type Symbolic,
  type Tensor,
  type Tree,
} from '@meanflow/core';
import { interpret } from '@meanflow/core/backend';

/** Traces `f` at the types of `inputs`, a tree of host arrays. Inputs are named by their paths in it. */
export function traceTree<In>(
  f: (inputs: Symbolic<In>) => Readonly<Record<string, Tensor>>,
  inputs: In,
): { readonly graph: Graph; readonly named: Record<string, HostArray> } {
  const { leaves, structure } = treeFlatten<HostArray>(inputs as Tree<HostArray>);
  const named = Object.fromEntries(leaves.map((leaf, i) => [structure.paths[i], leaf]));
  const { graph } = trace((flat: Readonly<Record<string, Tensor>>) => {
    const tree: unknown = structure.unflatten(structure.paths.map((path) => flat[path]));
    return f(tree as Symbolic<In>);
  }, named);
  return { graph, named };
}

/** Traces `f` at the types of `inputs` and runs it on them in float64. */
export function evaluate<In>(
  f: (inputs: Symbolic<In>) => Readonly<Record<string, Tensor>>,
  inputs: In,
): Record<string, HostArray> {
  const { graph, named } = traceTree(f, inputs);
  return interpret(graph, named);
}

/**
 * The gradient of a traced loss in a tree of tensors, by path in it, and what the loss returns beside its value.
 */
export function differentiate<P, Aux>(
  loss: (params: P) => readonly [Tensor, Aux],
  params: P,
): { readonly gradient: Record<string, Tensor>; readonly aux: Aux } {
  const { leaves, structure } = treeFlatten<Tensor>(params as Tree<Tensor>);
  const flat = Object.fromEntries(leaves.map((leaf, i) => [structure.paths[i], leaf]));
  const f = (named: Record<string, Tensor>): readonly [Tensor, Aux] => {
    const tree: unknown = structure.unflatten(structure.paths.map((path) => named[path]));
    return loss(tree as P);
  };
  const [[, aux], gradient] = valueAndGrad<Record<string, Tensor>, [], Aux>(f, { hasAux: true })(flat);
  return { gradient, aux };
}

/** The largest absolute difference, in units of the largest expected value. */
export function relativeError(actual: HostArray, expected: HostArray): number {
  expect(actual.size).toBe(expected.size);
  const scale = Math.max(...Array.from(expected.data, Math.abs));
  const difference = Math.max(...Array.from(actual.data, (value, i) => Math.abs(value - expected.data[i])));
  return difference / (scale || 1);
}

/** The same tree in float64, each leaf moved by `amount` along `direction`. */
export function moved<T>(tree: T, direction: Record<string, HostArray>, amount: number): T {
  const { leaves, structure } = treeFlatten<HostArray>(tree as Tree<HostArray>);
  const shifted = leaves.map((leaf, i) => {
    const along = direction[structure.paths[i]].data;
    const data = Float64Array.from(leaf.data, (value, k) => value + amount * along[k]);
    return new HostArray('float64', leaf.shape, data);
  });
  const result: unknown = structure.unflatten(shifted);
  return result as T;
}

/** Σ ⟨a, b⟩ over arrays of the same names. */
export function inner(a: Record<string, HostArray>, b: Record<string, HostArray>): number {
  let total = 0;
  for (const [name, { data }] of Object.entries(a))
    data.forEach((value, i) => (total += value * b[name].data[i]));
  return total;
}
