/** The solvers, and all of them by name. */
import { Registry } from '@meanflow/core/validation';
import { averageVelocity } from './average-velocity.js';
import { adaptiveRungeKutta, rungeKutta, type Tolerances } from './runge-kutta.js';
import type { AdaptiveSolver, Solver } from './solver.js';
import * as tableaus from './tableaus.js';

export { averageVelocity, adaptiveRungeKutta, rungeKutta, tableaus };
export type { Tolerances };
export type { ButcherTableau, EmbeddedTableau, Weights } from './tableau.js';
export type { AdaptiveSolver, AttemptedStep, FixedStepSolver, Solver } from './solver.js';

export const euler = rungeKutta(tableaus.euler);
export const heun = rungeKutta(tableaus.heun);
export const midpoint = rungeKutta(tableaus.midpoint);
export const rk4 = rungeKutta(tableaus.rk4);

const pairs = new Map<string, AdaptiveSolver>();

/**
 * Dormand and Prince's solver; the same object for the same tolerances, so that a sampler compiles its programs once.
 *
 * @throws {ArgumentError} when a tolerance is negative, both are 0 or `maxSteps` is not a positive whole number
 */
export function dormandPrince(tolerances: Tolerances = {}): AdaptiveSolver {
  const solver = adaptiveRungeKutta(tableaus.dormandPrince, tolerances);
  const key = [solver.relativeTolerance, solver.absoluteTolerance, solver.maxSteps].join();
  const known = pairs.get(key) ?? Object.freeze(solver);
  pairs.set(key, known);
  return known;
}

/** The solvers by name, each at its default tolerances; others can be registered. */
export const solvers = new Registry<Solver>('solver', [
  averageVelocity,
  euler,
  heun,
  midpoint,
  rk4,
  dormandPrince(),
]);
