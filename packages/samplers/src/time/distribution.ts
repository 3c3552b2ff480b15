/**
 * Distributions of a time on [0, 1] (0 is data, 1 is noise). Each is a draw of raw numbers from a key and a
 * deterministic map from raw numbers to times, so that the map can be checked against published code on its
 * own.
 */
import { ArgumentError, checkChoice, checkOptions, HostArray, type RandomKey } from '@meanflow/core';

/** A distribution of times, as plain JSON. */
export type TimeDistribution =
  /** Uniform on [min, max), by default [0, 1). */
  | { readonly kind: 'uniform'; readonly min?: number; readonly max?: number }
  /**
   * sigmoid(mean + std · n) with n standard normal (Atchison and Shen, 1980; Esser et al., 2024, section
   * 3.1).
   */
  | { readonly kind: 'logit-normal'; readonly mean: number; readonly std: number };

/** float32 `[batch]`. */
export type Times = HostArray<'float32'>;

/** @throws {ArgumentError} when a parameter is out of range, naming it */
export function checkTimeDistribution(what: string, distribution: TimeDistribution): void {
  checkChoice(`${what}.kind`, distribution?.kind, ['uniform', 'logit-normal']);
  checkTimeFields(what, distribution);
  if (distribution.kind === 'uniform') {
    const { min = 0, max = 1 } = distribution;
    if (!(min >= 0 && min < max && max <= 1)) {
      throw new ArgumentError(`${what}: uniform times need 0 ≤ min < max ≤ 1, got [${min}, ${max}).`);
    }
  } else if (!Number.isFinite(distribution.mean) || !(distribution.std >= 0 && distribution.std < Infinity)) {
    throw new ArgumentError(
      `${what}: logit-normal times need a finite mean and std ≥ 0, got ${distribution.mean} and ${distribution.std}.`,
    );
  }
}

function checkTimeFields(what: string, distribution: TimeDistribution): void {
  type Kind<K> = Extract<TimeDistribution, { readonly kind: K }>;
  if (distribution.kind === 'uniform') {
    checkOptions<Kind<'uniform'>>(what, distribution, { kind: true, min: true, max: true });
  } else {
    checkOptions<Kind<'logit-normal'>>(what, distribution, { kind: true, mean: true, std: true });
  }
}

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
