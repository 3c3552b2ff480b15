/**
 * The random guidance conditions of improved MeanFlow (arXiv 2512.02012, section 4.2 and appendix): the
 * network is told the guidance scale ω and the interval [tMin, tMax] in which it applies, and learns all of
 * them at once. The map from uniforms is separate from drawing them.
 */
import { HostArray, type RandomKey } from '@meanflow/core';
import * as z from 'zod';
import type { Times } from './distribution.js';

/** How guidance conditions are drawn, as plain JSON. */
export const guidanceSampler = z.strictObject({
  maxScale: z.number().gt(1).optional().describe('Largest scale; 8 as published. ω lies on [1, maxScale].'),
  power: z.number().optional().describe('The density of ω falls as ω^−power; 1 as published.'),
});
export type GuidanceSampler = z.infer<typeof guidanceSampler>;

/** Uniforms on [0, 1) behind a batch of guidance conditions; each float32 `[batch]`. */
export interface RawGuidance {
  readonly omega: Times;
  readonly tMin: Times;
  readonly tMax: Times;
}

/** Guidance scale and interval of each row; each float32 `[batch]`. */
export interface GuidanceConditions {
  readonly omega: Times;
  /** On [0, ½); 0 where r = t. */
  readonly tMin: Times;
  /** On [½, 1); 1 where r = t. */
  readonly tMax: Times;
}

export function drawRawGuidance(key: RandomKey, count: number): RawGuidance {
  return {
    omega: key.fold('omega').uniform([count]),
    tMin: key.fold('tMin').uniform([count]),
    tMax: key.fold('tMax').uniform([count]),
  };
}

/**
 * The conditions that uniforms stand for: the inverse distribution function of ω, tMin uniform on [0, ½) and
 * tMax on [½, 1), with the whole interval (0, 1) on rows of flow matching.
 *
 * @param equal the rows with r = t, bool `[batch]`
 */
export function guidanceFromRaw(
  { maxScale = 8, power = 1 }: GuidanceSampler,
  raw: RawGuidance,
  equal: HostArray<'bool'>,
): GuidanceConditions {
  const map = (values: Times, f: (u: number, row: number) => number): Times =>
    new HostArray('float32', values.shape, Float32Array.from(values.data, f));
  const scale = (u: number): number => {
    if (power === 1) return Math.exp(u * Math.log(maxScale));
    // (1 + u (M^(1−β) − 1))^(1/(1−β)), in a form that stays accurate near β = 1.
    const range = Math.expm1((1 - power) * Math.log(maxScale));
    return Math.exp(Math.log1p(u * range) / (1 - power));
  };
  return {
    omega: map(raw.omega, scale),
    tMin: map(raw.tMin, (u, row) => (equal.data[row] ? 0 : 0.5 * u)),
    tMax: map(raw.tMax, (u, row) => (equal.data[row] ? 1 : 0.5 + 0.5 * u)),
  };
}

/** Guidance conditions for a batch of intervals. */
export function sampleGuidance(
  key: RandomKey,
  sampler: GuidanceSampler,
  equal: HostArray<'bool'>,
): GuidanceConditions {
  return guidanceFromRaw(sampler, drawRawGuidance(key, equal.size), equal);
}
