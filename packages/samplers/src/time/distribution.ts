/**
 * Distributions of a time on [0, 1] (0 is data, 1 is noise). Each is a draw of raw numbers from a key and a
 * deterministic map from raw numbers to times, so that the map can be checked against published code on its
 * own.
 */
import { HostArray, type RandomKey } from '@meanflow/core';
import * as z from 'zod';

/** A part of a whole, in [0, 1]. */
export const share = z.number().min(0).max(1);

const uniform = z
  .strictObject({
    kind: z.literal('uniform'),
    min: share.optional().describe('0 by default.'),
    max: share.optional().describe('1 by default; times are smaller.'),
  })
  .refine(({ min = 0, max = 1 }) => min < max, { path: ['min'], error: 'expected less than max.' });

/** sigmoid(mean + std · n) with n standard normal (Atchison and Shen, 1980; Esser et al., 2024, section 3.1). */
const logitNormal = z.strictObject({
  kind: z.literal('logit-normal'),
  mean: z.number(),
  std: z.number().nonnegative(),
});

/** A distribution of times, as plain JSON. */
export const timeDistribution = z.discriminatedUnion('kind', [uniform, logitNormal]);
export type TimeDistribution = z.infer<typeof timeDistribution>;

/** float32 `[batch]`. */
export type Times = HostArray<'float32'>;

/** The raw numbers behind `count` times: uniforms on [0, 1), or standard normals. float32 `[count]`. */
export function drawRawTimes(key: RandomKey, distribution: TimeDistribution, count: number): Times {
  return distribution.kind === 'uniform' ? key.uniform([count]) : key.normal([count]);
}

/** The times that raw numbers stand for: computed in float64, returned as float32 `[batch]`. */
export function timesFromRaw(distribution: TimeDistribution, raw: HostArray): Times {
  const value = quantileLike(distribution);
  return new HostArray('float32', raw.shape, Float32Array.from(raw.data, value));
}

function quantileLike(distribution: TimeDistribution): (raw: number) => number {
  if (distribution.kind === 'uniform') {
    const { min = 0, max = 1 } = distribution;
    return (u) => min + (max - min) * u;
  }
  const { mean, std } = distribution;
  return (n) => 1 / (1 + Math.exp(-(mean + std * n)));
}

/** `count` times. float32 `[count]`. */
export function sampleTimes(key: RandomKey, distribution: TimeDistribution, count: number): Times {
  return timesFromRaw(distribution, drawRawTimes(key, distribution, count));
}
