/** The classical Runge–Kutta method (Kutta, 1901). Fourth order, four evaluations. */
import { add, mul, sub } from '@meanflow/core';
import type { FixedStepSolver } from './solver.js';

export const rk4: FixedStepSolver = {
  kind: 'fixed',
  name: 'rk4',
  order: 4,
  evaluationsPerStep: 4,
  step: (field, z, t, next) => {
    const step = sub(next, t);
    const half = mul(step, 0.5);
    const middle = add(t, half);
    const k1 = field(z, t, t);
    const k2 = field(add(z, mul(half, k1)), middle, middle);
    const k3 = field(add(z, mul(half, k2)), middle, middle);
    const k4 = field(add(z, mul(step, k3)), next, next);
    const total = add(add(k1, k4), mul(2, add(k2, k3)));
    return add(z, mul(mul(step, 1 / 6), total));
  },
};
