/** The state of training: what updates replace, on the host and on the device. */
import { HostArray, TensorSpec, treeFlatten, type DType, type RunInput, type Tree } from '@meanflow/core';
import type { EmaState } from './ema.js';
import type { StateTrees } from './train-step.js';

/** All that training has made of its parameters up to a step, on the host. */
export interface TrainState<Params = Tree<HostArray>> {
  /** Updates made. */
  readonly step: number;
  readonly params: Params;
  readonly optimizer: Tree<HostArray>;
  /** Averages by `emaKey(decay)`. */
  readonly ema: EmaState<Params>;
  /** Averages that the objective asks for and that are none of `ema`, where there are such. */
  readonly references?: EmaState<Params>;
  /** What learning rates are multiplied by, where a run went back to smaller ones. */
  readonly rateScale?: number;
}

/** The trees of a state. */
export type StateParts<Params> = Omit<TrainState<Params>, 'step' | 'rateScale'>;

/** What a state is made of, without its values. A state itself says so too. */
export type StateTypes = StateTrees<HostArray | TensorSpec>;

/** Copies a tree to the host. */
export async function readTree<T>(tree: Tree<RunInput>): Promise<T> {
  const { leaves, structure } = treeFlatten<RunInput>(tree);
  const read = leaves.map((leaf) => (leaf instanceof HostArray ? leaf.clone() : leaf.read()));
  return structure.unflatten<HostArray, T>(await Promise.all(read));
}

/** A dtype that no graph takes is reported by the trace. */
export function typeOf({ dtype, shape }: HostArray): TensorSpec {
  return new TensorSpec(dtype as DType, shape);
}

/** The trees of a state, without its step: what lives on the device. */
export function stateTree({ params, optimizer, ema, references }: TrainState): StateTrees<HostArray> {
  return { params, optimizer, ema, ...(references && { references }) };
}
