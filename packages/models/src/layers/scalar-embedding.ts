/**
 * Fixed features of a number per row (a time, an interval's length, a guidance condition), from which a
 * network can resolve it. Both kinds are sines and cosines at geometrically spaced frequencies.
 */
import {
  ArgumentError,
  concat,
  constant,
  cos,
  mul,
  reshape,
  sin,
  type Tensor,
  checkChoice,
  checkOptions,
} from '@meanflow/core';

/** A kind of features, as plain JSON. */
export type ScalarEmbedding =
  /**
   * cos(s x fᵢ) for all i, then sin(s x fᵢ), with fᵢ = maxPeriod^(−i / (dimension/2)) (Vaswani et al., 2017,
   * with the order of the diffusion literature). MeanFlow uses dimension 256, scale 1 and maxPeriod 10,000.
   */
  | {
      readonly kind: 'sinusoidal';
      /** Number of features; even. */
      readonly dimension: number;
      /** s: what the number is multiplied by; 1 by default. */
      readonly scale?: number;
      /** 10,000 by default. */
      readonly maxPeriod?: number;
      /**
       * Whether the lowest frequency is exactly 1 / maxPeriod: fᵢ = maxPeriod^(−i / (dimension/2 − 1)), as in DDPM (Ho et
       * al., 2020). False by default.
       */
      readonly endpoint?: boolean;
      /** Which waves come first; cosines by default. */
      readonly first?: 'cosines' | 'sines';
    }
  /** x itself, cos(2ⁱ π x) for i = 0 … frequencies − 1, then sin(2ⁱ π x): 1 + 2 · frequencies features. */
  | { readonly kind: 'fourier'; readonly frequencies: number };

/** Number of features. */
export function embeddingWidth(embedding: ScalarEmbedding): number {
  return embedding.kind === 'sinusoidal' ? embedding.dimension : 1 + 2 * embedding.frequencies;
}

/** @throws {ArgumentError} when a parameter is out of range */
export function checkScalarEmbedding(embedding: ScalarEmbedding): void {
  type Kind<K> = Extract<ScalarEmbedding, { readonly kind: K }>;
  checkChoice('embedding.kind', embedding.kind, ['sinusoidal', 'fourier']);
  if (embedding.kind === 'fourier') {
    checkOptions<Kind<'fourier'>>('embedding', embedding, { kind: true, frequencies: true });
    if (!Number.isInteger(embedding.frequencies) || embedding.frequencies < 1) {
      throw new ArgumentError(
        `embedding.frequencies is a whole number from 1, got ${embedding.frequencies}.`,
      );
    }
    return;
  }
  checkOptions<Kind<'sinusoidal'>>('embedding', embedding, {
    kind: true,
    dimension: true,
    scale: true,
    maxPeriod: true,
    endpoint: true,
    first: true,
  });
  checkChoice('embedding.first', embedding.first ?? 'cosines', ['cosines', 'sines']);
  const { dimension, scale = 1, maxPeriod = 10_000, endpoint = false } = embedding;
  if (!Number.isInteger(dimension) || dimension < 2 || dimension % 2 !== 0) {
    throw new ArgumentError(`embedding.dimension is an even number from 2, got ${dimension}.`);
  }
  if (endpoint && dimension < 4) {
    throw new ArgumentError(`embedding.endpoint needs a dimension from 4, got ${dimension}.`);
  }
  if (!(scale > 0 && scale < Infinity && maxPeriod > 1 && maxPeriod < Infinity)) {
    throw new ArgumentError(
      `embedding needs scale > 0 and maxPeriod > 1, got scale ${scale} and maxPeriod ${maxPeriod}.`,
    );
  }
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
