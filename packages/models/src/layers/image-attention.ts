/** Self-attention over the places of an image, with one head (Ho et al., 2020). */
import { attention, reshape, transpose, type Tensor } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';

/**
 * softmax(q kᵀ / √channels) v, each place looking at every other.
 *
 * @param q `[batch, channels, height, width]`, as are `k`, `v` and the result
 */
export function imageAttention(q: Tensor, k: Tensor, v: Tensor): Tensor {
  const [batch, channels, height, width] = leading(q.shape, 4);
  const rows = (x: Tensor) => transpose(reshape(x, [batch, 1, channels, height * width]), [0, 1, 3, 2]);
  return reshape(transpose(attention(rows(q), rows(k), rows(v)), [0, 1, 3, 2]), q.shape);
}
