/**
 * How large the steps of an adaptive solver are (Hairer, Nørsett and Wanner, "Solving Ordinary Differential Equations
 * I", section II.4): the first from the sizes of z, of the velocity and of its change; each further one from the error
 * of the one before. Sizes are positive, whichever way time runs.
 */
import { mean, mul, sqrt, type Tensor } from '@meanflow/core';

const SAFETY = 0.9;
const SMALLEST_FACTOR = 0.2;
const LARGEST_FACTOR = 10;

/** √(mean of squares), over all elements: how large errors are, in units of the tolerance. A scalar. */
export function rootMeanSquare(x: Tensor): Tensor {
  return sqrt(mean(mul(x, x)));
}

/** A step short enough to see how fast the velocity changes, from the sizes of z and of the velocity. */
export function trialSize(position: number, speed: number, span: number): number {
  return Math.min(position < 1e-5 || speed < 1e-5 ? 1e-6 : (0.01 * position) / speed, span);
}

/** The first step: `steepest` is the larger of the velocity's size and of its change over time along the trial. */
export function firstSize(trial: number, steepest: number, errorOrder: number, span: number): number {
  const smooth = steepest <= 1e-15;
  const size = smooth ? Math.max(1e-6, trial * 1e-3) : (0.01 / steepest) ** (1 / (errorOrder + 1));
  return Math.min(100 * trial, size, span);
}

/**
 * The step after one of size `taken`, whose error is in units of the tolerance: that one again where it was above 1.
 *
 * @param rejected whether an attempt at this step was rejected before: it may not grow at once
 */
export function nextSize(taken: number, error: number, errorOrder: number, rejected: boolean): number {
  const factor = error === 0 ? LARGEST_FACTOR : SAFETY * error ** (-1 / (errorOrder + 1));
  const largest = rejected ? 1 : LARGEST_FACTOR;
  return taken * Math.min(largest, Math.max(SMALLEST_FACTOR, factor));
}
