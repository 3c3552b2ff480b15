/**
 * The average-velocity sampler of MeanFlow (arXiv 2505.13447, algorithm 2): z_r = z_t − (t − r) u(z_t, r, t).
 * An exact average velocity makes it exact for any step, the single step from 1 to 0 included.
 */
import { mul, sub } from '@meanflow/core';
import type { FixedStepSolver } from './solver.js';

export const averageVelocity: FixedStepSolver = {
  kind: 'fixed',
  name: 'average-velocity',
  order: Infinity,
  evaluationsPerStep: 1,
  step: (field, z, t, next) => sub(z, mul(sub(t, next), field(z, next, t))),
};
