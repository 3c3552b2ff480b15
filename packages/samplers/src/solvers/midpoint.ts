/** The explicit midpoint method: an Euler step with the velocity half way. Second order, two evaluations. */
import { add, mul, sub } from '@meanflow/core';
import type { FixedStepSolver } from './solver.js';

export const midpoint: FixedStepSolver = {
  kind: 'fixed',
  name: 'midpoint',
  order: 2,
  evaluationsPerStep: 2,
  step: (field, z, t, next) => {
    const step = sub(next, t);
    const half = mul(step, 0.5);
    const middle = add(t, half);
    const velocity = field(add(z, mul(half, field(z, t, t))), middle, middle);
    return add(z, mul(step, velocity));
  },
};
