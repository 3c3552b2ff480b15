/**
 * The Network contract: parameters made on the host from a key, and a pure traced function of them. Models implement
 * it; objectives and samplers use it; neither knows a backend.
 */
import type { HostArray } from './host-array.js';
import type { MapLeaves, TreeOf } from './pytree.js';
import type { RandomKey } from './random.js';
import type { Tensor } from './tensor.js';

/** `P` (a tree of host arrays) with tensors for leaves. */
export type Symbolic<P> = MapLeaves<P, HostArray, Tensor>;

export interface Network<Params extends TreeOf<Params, HostArray>, Inputs, Outputs> {
  /** Initial parameters, float32, from a key. */
  init(key: RandomKey): Params;
  /** The network at the given parameters; pure, called while tracing. */
  apply(params: Symbolic<Params>, inputs: Inputs): Outputs;
}
