/** Euler's method: z ← z + (t′ − t) v(z, t). First order, one evaluation. */
import { add, mul, sub } from '@meanflow/core';
import type { FixedStepSolver } from './solver.js';

export const euler: FixedStepSolver = {
  kind: 'fixed',
  name: 'euler',
  order: 1,
  evaluationsPerStep: 1,
  step: (field, z, t, next) => add(z, mul(sub(next, t), field(z, t, t))),
};
