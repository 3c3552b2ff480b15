/** Gradients between the two halves of a step: on the device, on the host, and averaged over the parts of a batch. */
import {
  ArgumentError,
  HostArray,
  treeFlatten,
  treePaths,
  type DeviceArray,
  type Tree,
} from '@meanflow/core';
import { assertSamePaths } from '@meanflow/core/validation';
import { disposeArrays } from './step-program.js';
import type { Gradients } from './train-step.js';

/** The loss of some rows of a batch, its metrics, and its gradient in the parameters. */
export interface HostGradients<Params extends Tree<HostArray> = Tree<HostArray>> {
  /** Rows that they are of. */
  readonly rows: number;
  readonly loss: HostArray;
  readonly metrics: Readonly<Record<string, HostArray>>;
  readonly gradients: Params;
}

type GradientTrees<Params extends Tree<HostArray>> = Omit<HostGradients<Params>, 'rows'>;

/** Loss, metrics and gradients. */
export function gradientTrees({ loss, metrics, gradients }: HostGradients): Gradients<HostArray> {
  return { loss, metrics, gradients };
}

/** The same, on the device. Read it or not, then dispose of it. */
export class StepGradients<Params extends Tree<HostArray> = Tree<HostArray>> {
  constructor(
    readonly rows: number,
    readonly arrays: Gradients<DeviceArray>,
  ) {}

  /** Copies it to the host. */
  async read(): Promise<HostGradients<Params>> {
    const { leaves, structure } = treeFlatten<DeviceArray>(this.arrays);
    const read = await Promise.all(leaves.map((array) => array.read()));
    return { rows: this.rows, ...structure.unflatten<HostArray, GradientTrees<Params>>(read) };
  }

  dispose(): void {
    disposeArrays(this.arrays);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/**
 * Gradients of a whole batch from those of its parts: the mean, each part with the weight of its rows, in float64.
 *
 * @throws {ArgumentError} when there are none
 * @throws {PytreeError} when they are of different parameters or have different metrics
 */
export function averageGradients<Params extends Tree<HostArray>>(
  parts: readonly HostGradients<Params>[],
): HostGradients<Params> {
  const [first] = parts;
  if (first === undefined) throw new ArgumentError('averageGradients: there are no gradients to average.');
  const rows = parts.reduce((total, part) => total + part.rows, 0);
  const leaves = parts.map((part) => treePaths<HostArray>(gradientTrees(part)));
  for (const others of leaves.slice(1)) assertSamePaths('averageGradients', leaves[0]!, others);
  const means = leaves[0]!.map(({ leaf }, i) => {
    const total = new Float64Array(leaf.data.length);
    parts.forEach((part, k) => {
      const { data } = leaves[k]![i]!.leaf;
      for (let j = 0; j < total.length; j++) total[j]! += (part.rows / rows) * data[j]!;
    });
    return new HostArray('float32', leaf.shape, Float32Array.from(total));
  });
  const { structure } = treeFlatten<HostArray>(gradientTrees(first));
  return { rows, ...structure.unflatten<HostArray, GradientTrees<Params>>(means) };
}
