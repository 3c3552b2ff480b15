/** The solvers, and the fixed-step ones by name. */
import { averageVelocity } from './average-velocity.js';
import { euler } from './euler.js';
import { heun } from './heun.js';
import { midpoint } from './midpoint.js';
import { rk4 } from './rk4.js';
import type { FixedStepSolver } from './solver.js';

export { averageVelocity, euler, heun, midpoint, rk4 };
export { dormandPrince, type Tolerances } from './dormand-prince.js';
export type { AdaptiveSolver, AttemptedStep, FixedStepSolver, Solver } from './solver.js';

/** The fixed-step solvers by name. */
export const fixedStepSolvers: Readonly<Record<string, FixedStepSolver>> = Object.fromEntries(
  [averageVelocity, euler, heun, midpoint, rk4].map((solver) => [solver.name, solver]),
);
