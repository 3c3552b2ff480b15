/** The optimizer's update as a composite, so that a backend with a fused kernel can take it whole. */
import { add, div, mul, sqrt } from '../functions.js';
import { callComposite, type CompositeDefinition } from '../ops/composite.js';
import type { Tensor } from '../tensor.js';

/** Static constants of Adam. */
export type AdamConstants = {
  /** Decay of the first moment. */
  readonly beta1: number;
  /** Decay of the second moment. */
  readonly beta2: number;
  /** Added to the root of the second moment. */
  readonly epsilon: number;
};

const adamDefinition: CompositeDefinition<AdamConstants> = {
  name: 'adamUpdate',
  decompose: ([gradient, mean, variance, meanCorrection, varianceCorrection], { beta1, beta2, epsilon }) => {
    const nextMean = add(mul(mean, beta1), mul(gradient, 1 - beta1));
    const nextVariance = add(mul(variance, beta2), mul(mul(gradient, gradient), 1 - beta2));
    const direction = div(
      mul(nextMean, meanCorrection),
      add(sqrt(mul(nextVariance, varianceCorrection)), epsilon),
    );
    return [direction, nextMean, nextVariance];
  },
};

/**
 * One step of Adam (Kingma and Ba, 2015): the direction m̂ / (√v̂ + ε) and the new moments.
 *
 * @param operands `gradient`, `mean`, `variance` of one shape; `meanCorrection` = 1 / (1 − β₁ᵏ) and
 *   `varianceCorrection` = 1 / (1 − β₂ᵏ) are scalars for step k = 1, 2, …
 */
export function adamUpdate(
  operands: {
    readonly gradient: Tensor;
    readonly mean: Tensor;
    readonly variance: Tensor;
    readonly meanCorrection: Tensor;
    readonly varianceCorrection: Tensor;
  },
  constants: AdamConstants,
): { direction: Tensor; mean: Tensor; variance: Tensor } {
  const { gradient, mean, variance, meanCorrection, varianceCorrection } = operands;
  const inputs = [gradient, mean, variance, meanCorrection, varianceCorrection];
  const [direction, nextMean, nextVariance] = callComposite(adamDefinition, inputs, { ...constants });
  return { direction, mean: nextMean, variance: nextVariance };
}
