/**
 * The adaptively weighted squared error of MeanFlow (arXiv 2505.13447, section 4.3): L / sg(L + c)^p for each
 * sample, with L = ‖error‖² and sg for stop-gradient. p = 0 is the squared error itself; p = 1 weighs every
 * sample alike.
 */
import { add, div, mul, pow, stopGradient, sum, type Tensor } from '@meanflow/core';
import * as z from 'zod';

/** Plain JSON. */
export const adaptiveWeight = z.strictObject({
  power: z.number().nonnegative().describe('p.'),
  epsilon: z.number().positive().describe('c: what keeps the weight of a perfect sample finite.'),
});
export type AdaptiveWeight = z.infer<typeof adaptiveWeight>;

/** ‖error‖² of each sample: `[batch, ...features] → [batch]`. */
export function squaredNorm(error: Tensor): Tensor {
  const axes = error.shape.slice(1).map((_, axis) => axis + 1);
  return sum(mul(error, error), axes);
}

/** L / sg(L + c)^p for squared norms L, `[batch] → [batch]`. */
export function adaptivelyWeighted(squared: Tensor, { power, epsilon }: AdaptiveWeight): Tensor {
  return power === 0 ? squared : div(squared, stopGradient(pow(add(squared, epsilon), power)));
}
