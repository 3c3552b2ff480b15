/**
 * Adaptive layer normalisation (adaLN; Peebles and Xie, "Scalable Diffusion Models with Transformers", 2023): conditions
 * shift and scale normalised tokens, and gate what is added to them.
 */
import { add, layerNorm, mul, reshape, split, type Symbolic, type Tensor } from '@meanflow/core';
import { linear, type LinearParameters } from './linear.js';

/**
 * The vectors that a condition gives, each `[batch, 1, width]`.
 *
 * @param condition `[batch, width]`, activated already
 * @param count how many; the layer maps to `count · width`
 */
export function modulations(
  params: Symbolic<LinearParameters>,
  condition: Tensor,
  count: number,
): readonly Tensor[] {
  const all = linear(params, condition);
  const [batch, width] = [all.shape[0]!, all.shape[1]! / count];
  const parts = split(
    all,
    Array.from({ length: count }, () => width),
  );
  return parts.map((part) => reshape(part, [batch, 1, width]));
}

/** norm(x) ⊙ (1 + scale) + shift, with layer normalisation without learned scale; `[batch, tokens, width]`. */
export function modulatedNorm(x: Tensor, shift: Tensor, scale: Tensor): Tensor {
  return add(mul(layerNorm(x), add(1, scale)), shift);
}
