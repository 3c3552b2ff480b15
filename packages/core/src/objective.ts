/**
 * The Objective contract. All randomness (t, r, noise, label drop, guidance scale, interval) is drawn on the host by
 * `draw`; `loss` is a pure traced function of parameters, batch and draws. That split is what lets an objective be
 * checked against published code to the last digit, and what makes a resumed run continue exactly.
 */
import type { HostArray } from './host-array.js';
import type { MapLeaves, Tree } from './pytree.js';
import type { RandomKey } from './random.js';
import type { Tensor } from './tensor.js';

/** A tree of host arrays with tensors for leaves. */
type AsTensors<T> = MapLeaves<T, HostArray, Tensor>;

export interface Objective<
  Net,
  Params extends Tree<HostArray>,
  Batch extends Tree<HostArray>,
  Draws extends Tree<HostArray>,
> {
  /** The name by which it is chosen, such as `meanflow`. */
  readonly name: string;
  /** Everything random that `loss` needs for a batch whose data has the shape of `batch`. */
  draw(key: RandomKey, batch: Batch): Draws;
  /**
   * @returns the scalar float32 loss to minimise, and scalar float32 metrics to show
   */
  loss(
    network: Net,
    params: AsTensors<Params>,
    batch: AsTensors<Batch>,
    draws: AsTensors<Draws>,
  ): { readonly loss: Tensor; readonly metrics: Readonly<Record<string, Tensor>> };
}
