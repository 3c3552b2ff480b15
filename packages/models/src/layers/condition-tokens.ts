/**
 * In-context conditioning (improved MeanFlow, arXiv 2512.02012, section 4.3): each condition becomes tokens that stand
 * before the patches, learned ones plus an embedding of the condition's value.
 */
import { add, concat, reshape, silu, type Symbolic, type Tensor } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { classEmbeddingParameters, embedClass, type ClassEmbeddingParameters } from './class-embedding.js';
import { embedderParameters, embedFeatures, type EmbedderParameters } from './embedder.js';
import type { LinearInitialisation } from './linear.js';
import { normalWith, ParameterSpec, type Described, type Parameter } from './parameters.js';
import { embedScalar } from './scalar-embedding.js';

/** Features of a number: 256 sines and cosines, as in DiT. */
const embedding = { kind: 'sinusoidal', dimension: 256 } as const;

/** How many tokens each condition has. */
export interface ConditionTokenCounts {
  /** Class; 8 as published. */
  readonly label: number;
  /** Guidance scale ω; 4 as published. */
  readonly omega: number;
  /** Each end of the interval of guidance; 2 as published. */
  readonly interval: number;
  /** Length of the time interval; 4 as published. */
  readonly time: number;
}

type Tokens = {
  /** `[count, width]` */
  readonly tokens: Parameter;
};
export type NumberTokens = EmbedderParameters & Tokens;

/** Everything starts normal with variance 1/inputs: embedders, table and tokens alike. */
export const tokenInitialisation: LinearInitialisation = { kind: 'scaled-normal', deviation: 1 };
export const tokenStart = (width: number): ParameterSpec['initial'] => normalWith(1 / Math.sqrt(width));

/** In the order of the sequence: class, ω, tMin, tMax, h. */
export type ConditionTokenParameters = {
  readonly label?: (ClassEmbeddingParameters & Tokens) | undefined;
  readonly omega?: NumberTokens | undefined;
  readonly tMin?: NumberTokens | undefined;
  readonly tMax?: NumberTokens | undefined;
  readonly h: NumberTokens;
};

/** What a network is conditioned on beside h. */
export interface TokenConditions {
  readonly classCount: number | undefined;
  readonly guidance: boolean;
}

/** `count` tokens of a vector of `features` numbers. */
export function numberTokens(features: number, count: number, width: number): Described<NumberTokens> {
  return {
    ...embedderParameters(features, width, tokenInitialisation),
    tokens: new ParameterSpec([count, width], tokenStart(width)),
  };
}

/** Its tokens, `[batch, count, width]`. @param features `[batch, features]` */
export function featureTokens(group: Symbolic<NumberTokens>, features: Tensor): Tensor {
  return placed(group, embedFeatures(group, features, silu));
}

function placed({ tokens }: Symbolic<Tokens>, embedded: Tensor): Tensor {
  return add(tokens, reshape(embedded, [embedded.shape[0]!, 1, -1]));
}

export function conditionTokenParameters(
  { classCount, guidance }: TokenConditions,
  counts: ConditionTokenCounts,
  width: number,
): Described<ConditionTokenParameters> {
  const deviation = 1 / Math.sqrt(width);
  const tokens = (count: number) => new ParameterSpec([count, width], tokenStart(width));
  const number = (count: number) => numberTokens(embedding.dimension, count, width);
  return {
    ...(classCount === undefined
      ? {}
      : {
          label: { ...classEmbeddingParameters(classCount, width, deviation), tokens: tokens(counts.label) },
        }),
    ...(guidance
      ? { omega: number(counts.omega), tMin: number(counts.interval), tMax: number(counts.interval) }
      : {}),
    h: number(counts.time),
  };
}

/** Tokens before the patches. */
export function conditionTokenCount(
  { classCount, guidance }: TokenConditions,
  counts: ConditionTokenCounts,
): number {
  const { label, omega, interval, time } = counts;
  return (classCount === undefined ? 0 : label) + (guidance ? omega + 2 * interval : 0) + time;
}

/**
 * The tokens of every row, `[batch, conditionTokenCount(…), width]`.
 *
 * @param label int32 `[batch]`; the null class by default
 * @param numbers h, then with guidance 1 − 1/ω, tMin and tMax; each `[batch]`
 */
export function conditionTokens(
  params: Symbolic<ConditionTokenParameters>,
  label: Tensor | undefined,
  numbers: readonly Tensor[],
): Tensor {
  const [h] = leading(numbers, 1);
  const batch = h.shape[0]!;
  const number = (group: Symbolic<NumberTokens>, value: Tensor): Tensor =>
    featureTokens(group, embedScalar(embedding, value));
  const { omega, tMin: start, tMax: end } = params;
  return concat(
    [
      ...(params.label === undefined ? [] : [placed(params.label, embedClass(params.label, label, batch))]),
      ...(omega === undefined ? [] : [number(omega, numbers[1]!)]),
      ...(start === undefined ? [] : [number(start, numbers[2]!)]),
      ...(end === undefined ? [] : [number(end, numbers[3]!)]),
      number(params.h, h),
    ],
    1,
  );
}
