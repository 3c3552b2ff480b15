/**
 * Whether two programs compute the same numbers, before either is timed: losses of the first steps and the gradient's norm,
 * or the samples' norm and a projection of them, relative to the reference.
 */
import type { Compared } from './worker.js';

/**
 * Largest relative differences that float32 explains; ten times what was seen. MeanFlow's losses with the adaptive weight are near 1 whatever
 * the network gives, so that the gradient is what tells programs apart.
 */
export const tolerances = { losses: 2e-6, gradientNorm: 2e-5, norm: 1e-6, probe: 1e-5 } as const;

export type Differences = Partial<Record<keyof typeof tolerances, number>>;

/** What both have, compared. */
export function differences(found: Compared, reference: Compared): Differences {
  const result: Differences = {};
  if (found.losses && reference.losses) {
    const pairs = found.losses.slice(0, reference.losses.length).map((loss, i) => [loss, reference.losses![i]!] as const); // prettier-ignore
    result.losses = Math.max(...pairs.map(([a, b]) => Math.abs(a - b) / Math.abs(b)));
  }
  for (const name of ['gradientNorm', 'norm'] as const) {
    const [a, b] = [found[name], reference[name]];
    if (a !== undefined && b !== undefined) result[name] = Math.abs(a - b) / Math.abs(b);
  }
  // A projection may come to next to nothing: it is measured by the whole.
  if (found.probe !== undefined && reference.probe !== undefined) {
    result.probe = Math.abs(found.probe - reference.probe) / reference.norm!;
  }
  return result;
}

/** WebGPU's sines and exponentials have a few digits less (WGSL, section 15.7.4), which the gradient shows. */
export const gpuTolerances = { ...tolerances, gradientNorm: 5e-4 } as const;

/** Those that rounding does not explain, NaN included. */
export function disagreements(
  found: Differences,
  limits: Readonly<Record<keyof typeof tolerances, number>> = tolerances,
): readonly (keyof typeof tolerances)[] {
  const names = Object.keys(found) as (keyof typeof tolerances)[];
  return names.filter((name) => !(found[name]! <= limits[name]));
}
