/** Runs a gradient transform step by step on the reference interpreter, rounding its state to float32 in between. */
import {
  type HostArray,
  hostArray,
  referenceBackend,
  trace,
  treeFlatten,
  type Tensor,
  type Tree,
} from '@meanflow/core';
import { applyUpdates, type GradientTransform } from '../../src/index.js';
import { flattenTree, mapTree } from '../../src/trees.js';

type Parameters = Readonly<Record<string, HostArray>>;
type Step = { params: Tree<Tensor>; gradients: Tree<Tensor>; state: Tree<Tensor>; scalars: Tree<Tensor> };
type After = { params: Tree<Tensor>; state: Tree<Tensor>; metrics: Readonly<Record<string, Tensor>> };

/** The parameters after each step, and the metrics that the transform reported. */
export async function runTransform(
  transform: GradientTransform,
  start: Parameters,
  gradients: readonly Parameters[],
): Promise<{ params: Parameters; metrics: Readonly<Record<string, number>> }[]> {
  const scalars = (step: number): Tree<HostArray> =>
    mapTree((value) => hostArray(value), transform.scalars(step));
  let state = transform.init(start);
  let params: Tree<HostArray> = start;
  const traceTree = trace as (f: (step: Step) => After, input: unknown) => ReturnType<typeof trace>;
  const { graph, output } = traceTree(
    (step) => {
      const { updates, state: next, metrics } = transform.update(step.gradients, step.state, step);
      return { params: applyUpdates(step.params, updates), state: next, metrics: metrics ?? {} };
    },
    { params, gradients: gradients[0], state, scalars: scalars(0) },
  );
  const executable = await referenceBackend().compile(graph);
  const history = [];
  for (let step = 0; step < gradients.length; step++) {
    const inputs = flattenTree<HostArray>({
      params,
      gradients: gradients[step],
      state,
      scalars: scalars(step),
    });
    const results = await executable.run(inputs);
    const leaves = await Promise.all(output.paths.map((path) => results[path].read()));
    const tree = output.unflatten(leaves) as {
      params: Parameters;
      state?: Tree<HostArray>;
      metrics: Parameters;
    };
    params = tree.params;
    state = tree.state;
    const metrics = Object.entries(flattenTree<HostArray>(tree.metrics)).map(([name, value]) => [
      name,
      value.item(),
    ]);
    history.push({ params: tree.params, metrics: Object.fromEntries(metrics) as Record<string, number> });
  }
  return history;
}

/** Host arrays from nested numbers, by name. */
export function parametersFrom(
  values: Readonly<Record<string, readonly number[] | readonly number[][]>>,
): Parameters {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, hostArray(value)]));
}

/** Number of leaves of a tree. */
export function leafCount(tree: Tree<HostArray>): number {
  return treeFlatten<HostArray>(tree).leaves.length;
}
