/** Scaled dot-product attention as a composite, so that a backend with a fused kernel can take it whole. */
import { einsum, mul } from '../functions.js';
import type { CompositeDefinition, Tensor } from '../tensor.js';
import { softmax } from './normalization.js';

export const attentionDefinition: CompositeDefinition<
  { readonly scale: number },
  readonly [q: Tensor, k: Tensor, v: Tensor],
  readonly [Tensor]
> = {
  name: 'attention',
  decompose: ([q, k, v], { scale }) => {
    const weights = softmax(einsum('bhqd,bhkd->bhqk', mul(q, scale), k));
    return [einsum('bhqk,bhkd->bhqd', weights, v)];
  },
};
