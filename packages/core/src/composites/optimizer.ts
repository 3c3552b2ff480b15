/**
 * The optimizer's update as a composite, so that a backend with a fused kernel can take it whole. Everything that
 * depends on the step only (the learning rate and Adam's bias corrections) is folded into two scalars on the host, and
 * the moments are kept as plain discounted sums, which leaves nine elementwise operations per parameter where the
 * textbook form has thirteen.
 */
import { add, div, mul, sqrt } from '../functions.js';
import { callComposite } from '../composite.js';
import type { CompositeDefinition, Tensor } from '../tensor.js';

/** Static constants of Adam. */
export type AdamConstants = {
  /** Decay of the first moment. */
  readonly beta1: number;
  /** Decay of the second moment. */
  readonly beta2: number;
};

export const adamDefinition: CompositeDefinition<
  AdamConstants,
  readonly [gradient: Tensor, mean: Tensor, variance: Tensor, stepSize: Tensor, epsilon: Tensor],
  readonly [update: Tensor, mean: Tensor, variance: Tensor]
> = {
  name: 'adamUpdate',
  decompose: ([gradient, mean, variance, stepSize, epsilon], { beta1, beta2 }) => {
    const nextMean = add(mul(mean, beta1), gradient);
    const nextVariance = add(mul(variance, beta2), mul(gradient, gradient));
    const update = div(mul(nextMean, stepSize), add(sqrt(nextVariance), epsilon));
    return [update, nextMean, nextVariance];
  },
};

/**
 * One step of Adam (Kingma and Ba, 2015) on scaled moments: M ← β₁M + g, V ← β₂V + g², update = a·M / (√V + e). The
 * published moments are m = (1 − β₁)·M and v = (1 − β₂)·V, and with c₁ = (1 − β₁)/(1 − β₁ᵏ), c₂ = (1 − β₂)/(1 − β₂ᵏ)
 * the published step −lr·m̂ / (√v̂ + ε) at k = 1, 2, … is the update for a = −lr·c₁/√c₂ and e = ε/√c₂.
 *
 * @param operands `gradient`, and `mean` (M) and `variance` (V), float32 of one shape; `stepSize` (a) and `epsilon`
 *   (e) are float32 scalars
 * @returns the update to add to the parameter, and the new M and V
 */
export function adamUpdate(
  operands: {
    readonly gradient: Tensor;
    readonly mean: Tensor;
    readonly variance: Tensor;
    readonly stepSize: Tensor;
    readonly epsilon: Tensor;
  },
  constants: AdamConstants,
): { update: Tensor; mean: Tensor; variance: Tensor } {
  const { gradient, mean, variance, stepSize, epsilon } = operands;
  const inputs = [gradient, mean, variance, stepSize, epsilon] as const;
  const [update, nextMean, nextVariance] = callComposite(adamDefinition, inputs, constants);
  return { update, mean: nextMean, variance: nextVariance };
}
