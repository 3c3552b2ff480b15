/**
 * The stated drift: how far from the float64 reference float32 may be after 200 train steps, as an absolute error of any
 * element. Losses, parameters and samples are of the order of 1, and so are the moments. The figures are four times the
 * largest of four runs with random roundings at the bounds of the kit's `roundoff.ts`, rounded up to two digits, as for shorter
 * procedures (its `drift.ts`); they stand here because those runs take longer than a backend's own. A test of this
 * package derives them anew and compares.
 */

/** The objectives that are trained for 200 steps, by the kind of their configuration. */
export type DriftingObjective = 'flow-matching' | 'meanflow' | 'improved-meanflow';

/** `loss`: at any of the steps. `mean`, `variance`: Adam's moments, as sums. `samples`: of one and of two steps. */
export type DriftingQuantity = 'loss' | 'params' | 'mean' | 'variance' | 'ema' | 'samples';

/** The table. */
export const statedDrift: {
  readonly [K in DriftingObjective]: Readonly<Record<DriftingQuantity, number>>;
} = {
  'flow-matching': {
    loss: 2.1e-5,
    params: 1.1e-5,
    mean: 3.5e-5,
    variance: 2e-5,
    ema: 1.1e-5,
    samples: 1.9e-5,
  },
  meanflow: { loss: 9.1e-6, params: 1.1e-5, mean: 1.6e-4, variance: 3e-4, ema: 1.1e-5, samples: 2.5e-5 },
  'improved-meanflow': {
    loss: 2.1e-5,
    params: 1.1e-5,
    mean: 2.7e-4,
    variance: 4.5e-4,
    ema: 1.1e-5,
    samples: 5e-5,
  },
};
