/** Scaled dot-product attention as a composite, so that a backend with a fused kernel can take it whole. */
import { checkOptions } from '../check-options.js';
import { einsum, mul } from '../functions.js';
import { callComposite } from '../composite.js';
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

export interface AttentionOptions {
  readonly scale?: number;
}

/**
 * softmax(q kᵀ · scale) v (Vaswani et al., 2017).
 *
 * @param q `[batch, heads, queries, depth]`
 * @param k `[batch, heads, keys, depth]`
 * @param v `[batch, heads, keys, depth]`
 * @param options.scale 1/√depth by default
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  checkOptions<AttentionOptions>('attention', options, { scale: true });
  return callComposite(attentionDefinition, [q, k, v], {
    scale: options.scale ?? q.shape[q.rank - 1]! ** -0.5,
  })[0];
}
