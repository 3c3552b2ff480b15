/** Attention: whole where tokens are few, and a tile of queries after the other where they are many. */
import { checkOptions } from '../check-options.js';
import { callComposite } from '../composite.js';
import { ArgumentError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { attentionDefinition } from './attention-definition.js';
import { tiledAttentionDefinition } from './tiled-attention.js';

/** Most queries that are taken at once where nothing is said. */
const MOST_QUERIES = 512;
/** Queries of a tile where there are more: enough for products to be as fast as whole ones. */
const TILE = 256;

export interface AttentionOptions {
  readonly scale?: number;
  /**
   * Queries that are taken at once. Where these are not all, memory is linear in tokens: no array of all queries and all keys is
   * made or kept, for derivatives compute weights again. By default all up to 512, and 256 at once where there are more.
   */
  readonly tile?: number;
}

/**
 * softmax(q kᵀ · scale) v (Vaswani et al., 2017).
 *
 * @param q `[batch, heads, queries, depth]`
 * @param k `[batch, heads, keys, depth]`
 * @param v `[batch, heads, keys, depth]`
 * @param options.scale 1/√depth by default
 * @throws {ArgumentError} when a tile is no whole number of queries from 1
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  checkOptions<AttentionOptions>('attention', options, { scale: true, tile: true });
  const queries = q.shape[2] ?? 0;
  const { scale = q.shape[q.rank - 1]! ** -0.5, tile = queries > MOST_QUERIES ? TILE : MOST_QUERIES } =
    options;
  if (!(Number.isSafeInteger(tile) && tile >= 1))
    throw new ArgumentError(`attention: tile is a whole number of queries from 1, got ${tile}.`);
  return tile < queries
    ? callComposite(tiledAttentionDefinition, [q, k, v], { scale, tile })[0]
    : callComposite(attentionDefinition, [q, k, v], { scale })[0];
}
