/**
 * Heun's method (the explicit trapezoidal rule): the mean of the velocities at both ends. Second order, two
 * evaluations.
 */
import { add, mul, sub } from '@meanflow/core';
import type { FixedStepSolver } from './solver.js';

export const heun: FixedStepSolver = {
  kind: 'fixed',
  name: 'heun',
  order: 2,
  evaluationsPerStep: 2,
  step: (field, z, t, next) => {
    const step = sub(next, t);
    const first = field(z, t, t);
    const second = field(add(z, mul(step, first)), next, next);
    return add(z, mul(mul(step, 0.5), add(first, second)));
  },
};
