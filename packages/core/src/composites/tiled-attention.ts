/**
 * Attention in memory linear in tokens (Rabe and Staats, "Self-attention Does Not Need O(n²) Memory", 2021): queries are taken a
 * tile at a time, so that of the weights, one number for each query and each key, those of one tile are there at once. Derivatives
 * compute a tile's weights again, behind a barrier that keeps them apart from the value's: by the tangents of forward mode, which come
 * after all values of a network, and by the cotangents of reverse mode. There a tile waits also for all that came of the one before,
 * so that whatever order a runtime takes, it cannot hold the weights of two.
 *
 * Operands of float16 are multiplied in float16; softmax and sums over tiles are float32, as `autocast` has them.
 */
import { callComposite } from '../composite.js';
import { add, cast, concat, einsum, mul, optimizationBarrier, split } from '../functions.js';
import type { CompositeCall, CompositeDefinition, Tangent, Tensor } from '../tensor.js';
import { attentionDefinition } from './attention-definition.js';
import { softmax } from './normalization.js';
import { softmaxDerivative } from './softmax-derivative.js';

type TileParameters = {
  readonly scale: number;
  /** Queries that are taken at once; fewer than there are. */
  readonly tile: number;
};
type TangentParameters = TileParameters & {
  /** Which of q, k and v move. */
  readonly active: readonly boolean[];
};
type Attended = readonly [q: Tensor, k: Tensor, v: Tensor];

/** The axis of queries in `[batch, heads, queries, depth]`. */
const QUERIES = 2;

/** The value, by attention of each tile, which a backend may have whole. */
export const tiledAttentionDefinition: CompositeDefinition<TileParameters, Attended, readonly [Tensor]> = {
  name: 'tiledAttention',
  decompose: ([q, k, v], { scale, tile }) => {
    const rows = tilesOf(q, tile).map((queries) =>
      q.dtype === 'float32'
        ? callComposite(attentionDefinition, [queries, k, v], { scale })[0]
        : weighted(weightsOf(queries, k, scale), v),
    );
    return [concat(rows, QUERIES)];
  },
  jvp: ({ inputs, tangents, parameters }) => {
    const given = tangents.filter((tangent) => tangent !== undefined);
    const active = tangents.map((tangent) => tangent !== undefined);
    return callComposite(tangentDefinition, [...inputs, ...given], { ...parameters, active });
  },
};

/** `(q, k, v, tangents of those that move…) → tangent of the value`; linear in the tangents. */
const tangentDefinition: CompositeDefinition<TangentParameters, readonly Tensor[], readonly [Tensor]> = {
  name: 'tiledAttentionTangent',
  decompose: (operands, { scale, tile, active }) => {
    const { q, k, v, moving } = named(operands, active);
    const [dq, dk, dv] = moving;
    const after = operands[3]!;
    const tilesOfTangent = dq && tilesOf(dq, tile);
    const rows = tilesOf(q, tile).map((tileOfQ, i) => {
      const queries = optimizationBarrier(tileOfQ, after);
      const weights = weightsOf(queries, k, scale);
      const dScores = total([
        tilesOfTangent && scores(tilesOfTangent[i]!, k, scale),
        dk && scores(queries, dk, scale),
      ]);
      return total([
        dScores && weighted(softmaxDerivative(weights, exact(dScores)), v),
        dv && weighted(weights, dv),
      ])!;
    });
    return [concat(rows, QUERIES)];
  },
  transpose: ({ cotangents: [cotangent], inputs, parameters: { scale, tile, active } }) => {
    if (cotangent === undefined) return inputs.map(() => undefined);
    const { q, k, v } = named(inputs, active);
    const [movesQ, movesK, movesV] = active;
    const cotangentTiles = tilesOf(cotangent, tile);
    const forQ: Tensor[] = [];
    let [forK, forV]: Tangent[] = [];
    let before: readonly Tensor[] = [];
    for (const [i, tileOfQ] of tilesOf(q, tile).entries()) {
      const given = following(cotangentTiles[i]!, before);
      const queries = following(tileOfQ, [given, ...before]);
      const weights = weightsOf(queries, k, scale);
      if (movesV) forV = total([forV, exact(einsum('bhqk,bhqd->bhkd', like(weights, v), given))]);
      if (movesQ || movesK) {
        const forWeights = exact(einsum('bhqd,bhkd->bhqk', given, v));
        const forScores = like(softmaxDerivative(weights, forWeights), v);
        if (movesQ) forQ.push(mul(weighted(forScores, k), scale));
        if (movesK) forK = total([forK, exact(einsum('bhqk,bhqd->bhkd', forScores, mul(queries, scale)))]);
      }
      before = [forQ.at(-1), forK, forV].filter((each) => each !== undefined);
    }
    const found = [movesQ ? concat(forQ, QUERIES) : undefined, forK && like(forK, k), forV && like(forV, v)];
    return [undefined, undefined, undefined, ...found.filter((_, i) => active[i])];
  },
};

/** Whether a call is of attention in tiles, or its tangent: what computes in float16 what may be, given operands of float16. */
export function isTiledAttention({ definition }: Pick<CompositeCall, 'definition'>): boolean {
  const own: readonly unknown[] = [tiledAttentionDefinition, tangentDefinition];
  return own.includes(definition);
}

function named(operands: readonly Tensor[], active: readonly boolean[]) {
  const [q, k, v, ...given] = operands as readonly [Tensor, Tensor, Tensor, ...Tensor[]];
  return { q, k, v, moving: active.map((moves): Tangent => (moves ? given.shift() : undefined)) };
}

function tilesOf(x: Tensor, tile: number): Tensor[] {
  const rows = x.shape[QUERIES]!;
  const lengths = Array.from({ length: Math.ceil(rows / tile) }, (_, i) => Math.min(tile, rows - i * tile));
  return split(x, lengths, QUERIES);
}

/** q kᵀ · scale; `[batch, heads, queries, keys]`. */
const scores = (q: Tensor, k: Tensor, scale: number): Tensor => einsum('bhqd,bhkd->bhqk', mul(q, scale), k);

/** In float32. */
const weightsOf = (q: Tensor, k: Tensor, scale: number): Tensor => softmax(exact(scores(q, k, scale)));

const weighted = (weights: Tensor, v: Tensor): Tensor => einsum('bhqk,bhkd->bhqd', like(weights, v), v);

const exact = (x: Tensor): Tensor => (x.dtype === 'float32' ? x : cast(x, 'float32'));

const like = (x: Tensor, { dtype }: Tensor): Tensor => (x.dtype === dtype ? x : cast(x, dtype));

/** `x`, once all of these exist. */
const following = (x: Tensor, before: readonly Tensor[]): Tensor =>
  before.reduce((y, each) => optimizationBarrier(y, each), x);

function total(terms: readonly Tangent[]): Tangent {
  const there = terms.filter((term) => term !== undefined);
  return there.length === 0 ? undefined : there.reduce((sum, term) => add(sum, term));
}
