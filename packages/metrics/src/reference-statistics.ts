/**
 * Statistics of features as files, in the npz forms that published reference statistics have: `mu` and `sigma` (TTUR's
 * code, pytorch-fid, EDM), `ref_mu` and `ref_sigma` (JAX codes), and guided-diffusion's, which adds `mu_s` and `sigma_s` of
 * Inception's spatial features for sFID (Nash et al., "Generating images with sparse representations", 2021).
 */
import { DataError, type HostArray } from '@meanflow/core';
import { formatShape } from '@meanflow/core/validation';
import { decodeNpz, encodeNpz } from '@meanflow/formats';
import type { FeatureStatistics } from './frechet.js';

/** Which features of an Inception network: its pooled ones, or the spatial ones that sFID compares. */
export type StatisticsKind = 'pooled' | 'spatial';

const fields: Readonly<Record<StatisticsKind, readonly (readonly [mean: string, covariance: string])[]>> = {
  pooled: [
    ['mu', 'sigma'],
    ['ref_mu', 'ref_sigma'],
  ],
  spatial: [['mu_s', 'sigma_s']],
};

/** Most features that statistics are read for: their covariance takes 2 GiB. */
const MOST_FEATURES = 16_384;

/**
 * Reads reference statistics.
 *
 * @param bytes the content of an npz file
 * @param source the file's name, for messages
 * @param kind `pooled` by default
 * @throws {DataError} when the file is damaged, holds no such statistics, or these are no mean and symmetric covariance
 */
export async function decodeStatistics(
  bytes: Uint8Array,
  source: string,
  kind: StatisticsKind = 'pooled',
): Promise<FeatureStatistics> {
  const failures: unknown[] = [];
  for (const names of fields[kind]) {
    let arrays: Record<string, HostArray>;
    try {
      arrays = await decodeNpz(bytes, source, { names, maxBytes: 8 * (MOST_FEATURES ** 2 + MOST_FEATURES) });
    } catch (error) {
      failures.push(error);
      continue;
    }
    return checkedStatistics(arrays[names[0]]!, arrays[names[1]]!, source);
  }
  throw failures[0];
}

/** Statistics as an npz file that the published codes read: `mu` and `sigma`, float64. */
export function encodeStatistics({ mean, covariance }: FeatureStatistics): Uint8Array {
  return encodeNpz({ mu: mean, sigma: covariance });
}

function checkedStatistics(mean: HostArray, covariance: HostArray, source: string): FeatureStatistics {
  const count = mean.size;
  const isSquare = covariance.shape.length === 2 && covariance.shape.every((length) => length === count);
  if (mean.shape.length !== 1 || count < 1 || !isSquare) {
    throw new DataError(
      `${source}: the mean is ${formatShape(mean.shape)} and the covariance ${formatShape(covariance.shape)}, ` +
        'expected [features] and [features, features].',
    );
  }
  for (const { data } of [mean, covariance]) {
    if (!data.every((value: number) => Number.isFinite(value))) {
      throw new DataError(`${source}: the statistics hold values that are not finite.`);
    }
  }
  const statistics = { mean: mean.to('float64'), covariance: covariance.to('float64') };
  checkCovariance(statistics.covariance.data, count, source);
  return statistics;
}

/** Symmetric to the rounding of float32, with a diagonal that is not negative. */
function checkCovariance(data: Float64Array, count: number, source: string): void {
  for (let i = 0; i < count; i++) {
    if (data[i * count + i]! < 0) {
      throw new DataError(`${source}: feature ${i} has the variance ${data[i * count + i]}.`);
    }
    for (let j = 0; j < i; j++) {
      const [below, above] = [data[i * count + j]!, data[j * count + i]!];
      const scale = Math.sqrt(data[i * count + i]! * data[j * count + j]!);
      if (Math.abs(below - above) > 1e-4 * scale + 1e-12) {
        throw new DataError(
          `${source}: the covariance is not symmetric: features ${j} and ${i} have ${above} and ${below}.`,
        );
      }
    }
  }
}
