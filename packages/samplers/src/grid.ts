/** Time grids: the times a sampler visits, from noise (1) to data (0). */
import { ArgumentError } from '@meanflow/core';

/**
 * 1 = t₀ > t₁ > … > tₖ = 0, evenly spaced. One step is `[1, 0]`.
 *
 * @throws {ArgumentError} when `steps` is not a positive whole number
 */
export function uniformGrid(steps: number): number[] {
  if (!Number.isSafeInteger(steps) || steps < 1) {
    throw new ArgumentError(`A sampler takes a positive whole number of steps, got ${steps}.`);
  }
  return Array.from({ length: steps + 1 }, (_, i) => (steps - i) / steps);
}

/** The times of a sampler: where it begins, and where each of its steps ends. */
export type TimeGrid = readonly [number, ...number[]];

/** @throws {ArgumentError} unless there are two times or more, strictly decreasing within [0, 1] */
export function checkGrid(times: readonly number[]): asserts times is TimeGrid {
  const ok = times.length >= 2 && times.every((t, i) => t >= 0 && t <= 1 && t < (times[i - 1] ?? Infinity));
  if (!ok) {
    throw new ArgumentError(
      `A time grid holds two times or more, strictly decreasing from at most 1 to at least 0; got [${times.join(', ')}].`,
    );
  }
}
