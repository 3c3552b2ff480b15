/** Multi-head self-attention (Vaswani et al., 2017): heads are consecutive parts of the width. */
import { attention, reshape, rmsNorm, transpose, type Tensor } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { rotate, type RotaryTable } from './rotary.js';

export interface AttentionOptions {
  /** Number of heads; divides the width. */
  readonly heads: number;
  /** Scales of root-mean-square normalisation of each query and key, `[width / heads]`. */
  readonly norms?: { readonly query: Tensor; readonly key: Tensor };
  /** Positions that turn queries and keys, after normalisation; of a head's width. */
  readonly rotary?: RotaryTable;
}

/**
 * softmax(q kᵀ / √(width / heads)) v in every head.
 *
 * @param query `[batch, tokens, width]`, as are `key`, `value` and the result
 */
export function multiHeadAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  { heads, norms, rotary }: AttentionOptions,
): Tensor {
  const place = (x: Tensor, scale: Tensor | undefined): Tensor => {
    const normalised = scale === undefined ? x : rmsNorm(x, { scale });
    return rotary === undefined ? normalised : rotate(rotary, normalised);
  };
  const q = place(splitHeads(query, heads), norms?.query);
  const k = place(splitHeads(key, heads), norms?.key);
  return joinHeads(attention(q, k, splitHeads(value, heads)));
}

/** `[batch, tokens, width] → [batch, heads, tokens, width / heads]` */
function splitHeads(x: Tensor, heads: number): Tensor {
  const [batch, tokens, width] = leading(x.shape, 3);
  return transpose(reshape(x, [batch, tokens, heads, width / heads]), [0, 2, 1, 3]);
}

/** `[batch, heads, tokens, width / heads] → [batch, tokens, width]` */
function joinHeads(x: Tensor): Tensor {
  const [batch, heads, tokens, width] = leading(x.shape, 4);
  return reshape(transpose(x, [0, 2, 1, 3]), [batch, tokens, heads * width]);
}
