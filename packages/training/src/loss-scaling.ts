/**
 * Dynamic loss scaling (Micikevicius et al., "Mixed Precision Training", 2018): the loss is multiplied by a scale before its
 * gradient is taken, so that small cotangents do not vanish in float16, and the gradient divided by it. Where a gradient is not
 * finite, the step is left out and the scale halved; after so many steps in a row that were good, it doubles. The scale and the
 * count are part of the optimizer's state, and are saved and resumed with it.
 */
import {
  add,
  div,
  equal,
  hostArray,
  isFinite,
  logicalAnd,
  maximum,
  minimum,
  mul,
  sum,
  treeLeaves,
  treeMap,
  treeZipMap,
  where,
  type HostArray,
  type Tensor,
  type Tree,
} from '@meanflow/core';
import type { GradientTransform } from './gradient-transform.js';

/** The state: what the loss is multiplied by, good steps since that changed, and the optimizer's own. */
export type LossScaleState<L> = {
  readonly scale: L;
  readonly good: L;
  readonly optimizer: Tree<L>;
};

const INITIAL_SCALE = 2 ** 16;
/** Beyond float16's largest there is nothing to gain; below 1 a gradient is not finite for another reason. */
const [LEAST_SCALE, LARGEST_SCALE] = [1, 2 ** 24];
/** Good steps after which the scale doubles. */
export const GOOD_STEPS = 2000;

/** The scale of a state that {@link withLossScale} made. */
export function lossScaleOf(state: Tree<Tensor>): Tensor {
  return (state as LossScaleState<Tensor>).scale;
}

/** An optimizer of gradients that are multiplied by the scale in its state, which leaves steps out whose gradient is not finite. */
export function withLossScale(optimizer: GradientTransform): GradientTransform {
  return {
    ...optimizer,
    init: (params): Tree<HostArray> => ({
      scale: hostArray(INITIAL_SCALE),
      good: hostArray(0),
      optimizer: optimizer.init(params),
    }),
    update(gradients, state, context) {
      const { scale, good, optimizer: own } = state as LossScaleState<Tensor>;
      const unscaled = treeMap(
        (gradient: Tensor): Tensor => div(gradient, scale),
        gradients,
      ) as typeof gradients;
      const isGood = treeLeaves<Tensor>(unscaled)
        .map((gradient) => equal(sum(where(isFinite(gradient), 0, 1)), 0))
        .reduce((all, each) => logicalAnd(all, each));
      const updated = optimizer.update(unscaled, own, context);
      const counted = add(good, 1);
      const isDue = equal(counted, GOOD_STEPS);
      const grown = where(isDue, minimum(mul(scale, 2), LARGEST_SCALE), scale);
      return {
        updates: treeMap(
          (update: Tensor): Tensor => where(isGood, update, 0),
          updated.updates,
        ) as typeof gradients,
        state: {
          scale: where(isGood, grown, maximum(mul(scale, 0.5), LEAST_SCALE)),
          good: where(isGood, where(isDue, 0, counted), 0),
          optimizer: treeZipMap(
            'withLossScale',
            (next: Tensor, before: Tensor) => where(isGood, next, before),
            updated.state,
            own,
          ),
        },
        metrics: { ...updated.metrics, lossScale: scale },
      };
    },
  };
}
