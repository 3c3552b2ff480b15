/**
 * The Network contract: parameters made on the host from a key, and a pure traced function of them. Models implement
 * it; objectives and samplers use it; neither knows a backend.
 */
import type { HostArray } from './host-array.js';
import type { Tree } from './pytree.js';
import type { RandomKey } from './random.js';
import type { Tensor } from './tensor.js';

/**
 * `P` (a tree of host arrays) with tensors for leaves. A tree of any form comes first: its branches go on for ever,
 * and the compiler would list them.
 */
export type Symbolic<P> = [Tree<HostArray>] extends [P]
  ? Tree<Tensor>
  : P extends HostArray
    ? Tensor
    : P extends undefined
      ? undefined
      : P extends readonly unknown[] | object
        ? { [K in keyof P]: Symbolic<P[K]> }
        : P;

export interface Network<Params extends Tree<HostArray>, Inputs, Outputs> {
  /** Initial parameters, float32, from a key. */
  init(key: RandomKey): Params;
  /** The network at the given parameters; pure, called while tracing. */
  apply(params: Symbolic<Params>, inputs: Inputs): Outputs;
}
