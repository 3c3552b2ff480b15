/** Runs a gradient transform step by step on the reference interpreter, rounding its state to float32 in between. */
import {
  type DeviceArray,
  type HostArray,
  hostArray,
  referenceBackend,
  trace,
  compile,
  treeFlatten,
  treeMap,
  type Tensor,
  type Tree,
} from '@meanflow/core';
import { applyUpdates, type GradientTransform } from '../../src/index.js';

type Parameters = Readonly<Record<string, HostArray>>;
type Step<L = Tensor> = { params: Tree<L>; gradients: Tree<L>; state: Tree<L>; scalars: Tree<L> };
type After<L = Tensor> = { params: Tree<L>; state: Tree<L>; metrics: Readonly<Record<string, L>> };

/** The parameters after each step, and the metrics that the transform reported. */
export async function runTransform(
  transform: GradientTransform,
  start: Parameters,
  gradients: readonly Parameters[],
): Promise<{ params: Parameters; metrics: Readonly<Record<string, number>> }[]> {
  const scalars = (step: number): Tree<HostArray> =>
    treeMap((value: number): HostArray => hostArray(value), transform.scalars(step));
  let state: Tree<HostArray> = transform.init(start);
  let params: Tree<HostArray> = start;
  const traced = trace(
    (step: Step): After => {
      const { updates, state: next, metrics } = transform.update(step.gradients, step.state, step);
      return { params: applyUpdates(step.params, updates), state: next, metrics: metrics ?? {} };
    },
    { params, gradients: gradients[0] as Tree<HostArray>, state, scalars: scalars(0) } as Step<HostArray>,
  );
  const program = await compile(referenceBackend(), traced);
  const history = [];
  for (let step = 0; step < gradients.length; step++) {
    const inputs = { params, gradients: gradients[step] as Tree<HostArray>, state, scalars: scalars(step) };
    const outputs: After<DeviceArray> = await program.run(inputs);
    const { leaves, structure } = treeFlatten<DeviceArray>(outputs);
    const tree = structure.unflatten<HostArray, After<HostArray>>(
      await Promise.all(leaves.map((leaf) => leaf.read())),
    );
    ({ params, state } = tree);
    const metrics = Object.entries(tree.metrics).map(([name, value]) => [name, value.item()]);
    history.push({
      params: tree.params as Parameters,
      metrics: Object.fromEntries(metrics) as Record<string, number>,
    });
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
