/**
 * The velocity that is expected at a point of the path, given the samples of the batch: the "stable target field" of Xu, Tong and
 * Jaakkola (ICLR 2023, arXiv 2302.00670), for flows. Any sample of the batch may have led to the point, with noise of its own; given
 * the point and the batch, sample j did with probability softmax_j(−‖ε_j‖²/2), ε_j its noise. The mean of the conditional velocities
 * under it is the conditional expectation of the row's own one, so a regression on either has the same minimiser
 * (Rao–Blackwell), and this one varies less: where samples are dense, it hardly varies.
 */
import {
  ArgumentError,
  div,
  full,
  lessEqual,
  matmul,
  mul,
  reshape,
  sizeOf,
  softmax,
  sub,
  sum,
  transpose,
  where,
  type Tensor,
} from '@meanflow/core';
import { paths, perRow, type PathName, type VelocityNetwork } from '@meanflow/samplers';
import * as z from 'zod';
import type { Coupling } from './coupling.js';

/** What an objective takes for the velocity at a point. */
export const velocityTarget = z
  .enum(['conditional', 'expected'])
  .optional()
  .describe(
    "The velocity that is regressed on. conditional (default): that of the row's own sample and noise, as published. expected: its mean over the samples of the batch that may have led to the point, a target of less variance with the same minimiser at weight.power 0 (Xu et al., 2023); for networks without classes and conditions, and data of few dimensions.",
  );
export type VelocityTarget = z.infer<typeof velocityTarget>;

/**
 * Data over noise in a point, up to which other samples are considered. Beyond, noise is finer than what is between the samples of
 * a batch, and differences of large numbers would be left of the distances.
 */
const LARGEST_RATIO = 100;

/** @throws {ArgumentError} when noise is not independent of data or has another scale, or the network predicts data */
export function checkExpectedVelocity(
  { smallestTime, noiseScale = 1 }: Pick<VelocityNetwork, 'smallestTime' | 'noiseScale'>,
  coupling: Coupling = 'independent',
): void {
  if (coupling !== 'independent') {
    throw new ArgumentError(
      `velocity: 'expected' is known where noise is independent of data, and not with coupling: '${coupling}'.`,
    );
  }
  if (smallestTime === undefined && noiseScale === 1) return;
  throw new ArgumentError(
    "velocity: 'expected' is for networks that predict velocities, with noise of deviation 1.",
  );
}

/**
 * The expected velocity of each row.
 *
 * @param x samples `[batch, ...features]`
 * @param points z_t, of the same shape
 * @param own the conditional velocities, of the same shape: of rows that are closer to data than others can be told apart
 * @param t float32 `[batch]`
 */
export function expectedVelocity(x: Tensor, points: Tensor, own: Tensor, t: Tensor, path: PathName): Tensor {
  const rows = x.shape[0]!;
  const flat = (a: Tensor) => reshape(a, [rows, sizeOf(x.shape.slice(1))]);
  const [one, zero] = [full(t.shape, 1), full(t.shape, 0)];
  // Coefficients of data and of noise in a point.
  const column = (a: Tensor) => reshape(a, [rows, 1]);
  const [alpha, sigma] = [column(paths[path].point(one, zero, t)), column(paths[path].point(zero, one, t))];
  const isFar = lessEqual(alpha, mul(LARGEST_RATIO, sigma));
  const noiseShare = where(isFar, sigma, 1);
  const ratio = where(isFar, div(alpha, noiseShare), 0);
  const samples = flat(x);
  const scaled = div(flat(points), noiseShare);
  // −‖scaled − ratio xⱼ‖²/2 without what is the same for all j.
  const squares = reshape(sum(mul(samples, samples), [1]), [1, rows]);
  const products = matmul(mul(ratio, scaled), transpose(samples));
  const logits = sub(products, mul(mul(0.5, mul(ratio, ratio)), squares));
  const mean = matmul(softmax(logits), samples);
  const noise = sub(scaled, mul(ratio, mean));
  const like = (a: Tensor) => reshape(a, x.shape);
  return where(perRow(reshape(isFar, [rows]), x), paths[path].velocity(like(mean), like(noise), t), own);
}
