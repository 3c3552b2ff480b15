/**
 * Fixed features of a number per row (a time, an interval's length, a guidance condition), from which a
 * network can resolve it. Both kinds are sines and cosines at geometrically spaced frequencies.
 */
import { concat, constant, cos, mul, reshape, sin, type Tensor } from '@meanflow/core';
import * as z from 'zod';

/**
 * cos(s x fᵢ) for all i, then sin(s x fᵢ), with fᵢ = maxPeriod^(−i / (dimension/2)) (Vaswani et al., 2017, with the order of the
 * diffusion literature). MeanFlow uses dimension 256, scale 1 and maxPeriod 10,000.
 */
const sinusoidal = z
  .strictObject({
    kind: z.literal('sinusoidal'),
    dimension: z.int().min(2).multipleOf(2).describe('Number of features; even.'),
    scale: z.number().positive().optional().describe('s: what the number is multiplied by; 1 by default.'),
    maxPeriod: z.number().gt(1).optional().describe('10,000 by default.'),
    endpoint: z
      .boolean()
      .optional()
      .describe(
        'Whether the lowest frequency is exactly 1 / maxPeriod: fᵢ = maxPeriod^(−i / (dimension/2 − 1)), as in DDPM (Ho et al., 2020). False by default.',
      ),
    first: z.enum(['cosines', 'sines']).optional().describe('Which waves come first; cosines by default.'),
  })
  .refine(({ endpoint, dimension }) => endpoint !== true || dimension >= 4, {
    path: ['endpoint'],
    error: 'expected a dimension from 4.',
  });

/** x itself, cos(2ⁱ π x) for i = 0 … frequencies − 1, then sin(2ⁱ π x): 1 + 2 · frequencies features. */
const fourier = z.strictObject({ kind: z.literal('fourier'), frequencies: z.int().positive() });

/** A kind of features, as plain JSON. */
export const scalarEmbedding = z.discriminatedUnion('kind', [sinusoidal, fourier]);
export type ScalarEmbedding = z.infer<typeof scalarEmbedding>;

/** Number of features. */
export function embeddingWidth(embedding: ScalarEmbedding): number {
  return embedding.kind === 'sinusoidal' ? embedding.dimension : 1 + 2 * embedding.frequencies;
}

/**
 * The features of each number.
 *
 * @param x float32 `[batch]`
 * @returns float32 `[batch, embeddingWidth(embedding)]`
 */
export function embedScalar(embedding: ScalarEmbedding, x: Tensor): Tensor {
  const column = reshape(x, [-1, 1]);
  const angles = mul(column, constant([angularFrequencies(embedding)]));
  const [cosines, sines] = [cos(angles), sin(angles)];
  if (embedding.kind === 'fourier') return concat([column, cosines, sines], 1);
  return concat(embedding.first === 'sines' ? [sines, cosines] : [cosines, sines], 1);
}

function angularFrequencies(embedding: ScalarEmbedding): number[] {
  if (embedding.kind === 'fourier') {
    return Array.from({ length: embedding.frequencies }, (_, i) => Math.PI * 2 ** i);
  }
  const { dimension, scale = 1, maxPeriod = 10_000, endpoint = false } = embedding;
  const half = dimension / 2;
  const steps = endpoint ? half - 1 : half;
  return Array.from({ length: half }, (_, i) => scale * Math.exp((-Math.log(maxPeriod) * i) / steps));
}
