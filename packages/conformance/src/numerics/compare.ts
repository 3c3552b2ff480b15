/** Comparison of a backend's result with what is expected, in units of the tolerance. */
import { sameShape, type HostArray } from '@meanflow/core';
import { formatType } from '@meanflow/core/validation';
import type { Expectation } from './tolerance.js';

/** How far a result was from what was expected. */
export interface Comparison {
  /** The worst error of an element in units of its tolerance; at most 1 for a correct result. */
  readonly worst: number;
  /** The element that was worst, in words; undefined when every element was exact. */
  readonly detail: string | undefined;
}

/**
 * Compares element by element. NaN must be NaN and an infinity the same infinity (what rounds to one counts as one); the
 * sign of a zero is not looked at, since rewriting x − x or 0 · x may change it.
 */
export function compare(name: string, got: HostArray, { value, tolerance }: Expectation): Comparison {
  const dtype = value.dtype === 'float64' ? 'float32' : value.dtype;
  if (got.dtype !== dtype || !sameShape(got.shape, value.shape)) {
    const wanted = formatType({ dtype, shape: value.shape });
    return { worst: Infinity, detail: `output "${name}" is ${formatType(got)}, expected ${wanted}` };
  }
  let worst = 0;
  let at = -1;
  for (let i = 0; i < got.size; i++) {
    const error = errorInUnits(got.data[i]!, value.data[i]!, tolerance[i]!, dtype === 'float32');
    if (error > worst) [worst, at] = [error, i];
  }
  if (at < 0) return { worst: 0, detail: undefined };
  const detail =
    `output "${name}", element ${at} of ${formatType(got)}: got ${got.data[at]}, expected ${value.data[at]} ` +
    `± ${tolerance[at]!.toPrecision(3)}`;
  return { worst, detail };
}

function errorInUnits(got: number, wanted: number, tolerance: number, isFloat: boolean): number {
  if (got === wanted || (Number.isNaN(got) && Number.isNaN(wanted))) return 0;
  const rounded = isFloat ? Math.fround(wanted) : wanted;
  if (got === rounded && !Number.isFinite(rounded)) return 0;
  const error = Math.abs(got - wanted);
  return Number.isFinite(error) && tolerance > 0 ? error / tolerance : Infinity;
}
