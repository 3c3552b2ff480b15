/**
 * The adaptively weighted squared error of MeanFlow (arXiv 2505.13447, section 4.3): L / sg(L + c)^p for each
 * sample, with L = ‖error‖² and sg for stop-gradient. p = 0 is the squared error itself; p = 1 weighs every
 * sample alike.
 */
import {
  add,
  ArgumentError,
  div,
  mul,
  pow,
  stopGradient,
  sum,
  type Tensor,
  checkOptions,
} from '@meanflow/core';

/** Plain JSON. */
export interface AdaptiveWeight {
  /** p, from 0 on. */
  readonly power: number;
  /** c, above 0: what keeps the weight of a perfect sample finite. */
  readonly epsilon: number;
}

/** @throws {ArgumentError} when the power is negative or epsilon is not positive */
export function checkAdaptiveWeight(weight: AdaptiveWeight): void {
  checkOptions<AdaptiveWeight>('weight', weight, { power: true, epsilon: true });
  const { power, epsilon } = weight;
  if (!(power >= 0 && power < Infinity)) throw new ArgumentError(`weight.power is from 0 on, got ${power}.`);
  if (!(epsilon > 0 && epsilon < Infinity))
    throw new ArgumentError(`weight.epsilon is above 0, got ${epsilon}.`);
}

/** ‖error‖² of each sample: `[batch, ...features] → [batch]`. */
export function squaredNorm(error: Tensor): Tensor {
  const axes = error.shape.slice(1).map((_, axis) => axis + 1);
  return sum(mul(error, error), axes);
}

/** L / sg(L + c)^p for squared norms L, `[batch] → [batch]`. */
export function adaptivelyWeighted(squared: Tensor, { power, epsilon }: AdaptiveWeight): Tensor {
  return power === 0 ? squared : div(squared, stopGradient(pow(add(squared, epsilon), power)));
}
