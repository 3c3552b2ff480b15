/**
 * The stepper of every explicit Runge–Kutta method: from a tableau, a solver with steps of a given size or, where the
 * tableau estimates its error, of its own choice. Velocities of equal weight are added first, and a common denominator
 * divides the step, which is one number, instead of velocities, which are as large as z.
 */
import { abs, add, ArgumentError, div, maximum, mul, sub, type Tensor } from '@meanflow/core';
import { checkOptions } from '@meanflow/core/validation';
import type { VelocityField } from '../field.js';
import type { AdaptiveSolver, FixedStepSolver } from './solver.js';
import { rootMeanSquare } from './step-controller.js';
import {
  checkTableau,
  weightValues,
  type ButcherTableau,
  type EmbeddedTableau,
  type Weights,
} from './tableau.js';

/** A stage after the first: its time within the step, and the weights of the velocities that lead to its point. */
interface Stage {
  readonly c: number;
  readonly a: Weights;
}

/** A step from z at time `t` to time `next`; the times and their difference are scalars. */
interface Step {
  readonly z: Tensor;
  readonly t: Tensor;
  readonly next: Tensor;
  readonly size: Tensor;
}

/**
 * The solver of a tableau that steps over a given grid. Stages at the end that the solution does not use are left out.
 *
 * @throws {ArgumentError} when the tableau is not explicit, or does not have the order that it says
 */
export function rungeKutta(tableau: ButcherTableau): FixedStepSolver {
  checkTableau(tableau);
  const { name, order, b } = tableau;
  const used = weightValues(b).findLastIndex((weight) => weight !== 0);
  const stages = laterStages(tableau).slice(0, used);
  return {
    kind: 'fixed',
    name,
    order,
    evaluationsPerStep: 1 + stages.length,
    step(field, z, t, next) {
      const step = { z, t, next, size: sub(next, t) };
      const { velocities } = follow(field, step, field(z, t, t), stages);
      return add(z, increment(step, b, velocities));
    },
  };
}

/**
 * Tolerances of an adaptive solver. A step's error in each element is held to `absolute + relative · |z|`.
 */
export interface Tolerances {
  /** 1e-5 by default, which single precision can still resolve. */
  readonly relativeTolerance?: number;
  /** 1e-5 by default. */
  readonly absoluteTolerance?: number;
  /** Attempted steps after which integration is given up; 1,000 by default. */
  readonly maxSteps?: number;
}

/**
 * The solver of a tableau that chooses its steps. Where the last stage lies at the solution, as in Dormand and Prince's,
 * its velocity is the next step's first; elsewhere the velocity there is one evaluation more.
 *
 * @throws {ArgumentError} when the tableau is not explicit or does not have the orders that it says, a tolerance is
 *   negative, both are 0 or `maxSteps` is not a positive whole number
 */
export function adaptiveRungeKutta(tableau: EmbeddedTableau, tolerances: Tolerances = {}): AdaptiveSolver {
  checkTableau(tableau);
  checkOptions<Tolerances>('adaptiveRungeKutta', tolerances, {
    relativeTolerance: true,
    absoluteTolerance: true,
    maxSteps: true,
  });
  const { relativeTolerance = 1e-5, absoluteTolerance = 1e-5, maxSteps = 1000 } = tolerances;
  if (!(relativeTolerance >= 0 && absoluteTolerance >= 0 && relativeTolerance + absoluteTolerance > 0)) {
    throw new ArgumentError(
      `Tolerances are not negative and not both 0, got relative ${relativeTolerance}, absolute ${absoluteTolerance}.`,
    );
  }
  if (!Number.isInteger(maxSteps) || maxSteps < 1) {
    throw new ArgumentError(`maxSteps is a positive whole number, got ${maxSteps}.`);
  }
  const { name, order, errorOrder, b, error } = tableau;
  const stages = laterStages(tableau);
  const last = stages.at(-1);
  if (last === undefined || last.c !== 1 || !sameWeights(last.a, b)) stages.push({ c: 1, a: b });
  return {
    kind: 'adaptive',
    name,
    order,
    errorOrder,
    evaluationsPerStep: stages.length,
    relativeTolerance,
    absoluteTolerance,
    maxSteps,
    // The tolerances of the solver that it is called on: a copy may have others.
    attempt(field, z, velocity, t, size) {
      const step = { z, t, next: add(t, size), size };
      const { point, velocities } = follow(field, step, velocity, stages);
      const relative = mul(this.relativeTolerance, maximum(abs(z), abs(point)));
      const tolerance = add(this.absoluteTolerance, relative);
      return {
        z: point,
        velocity: velocities.at(-1) ?? velocity,
        error: rootMeanSquare(div(increment(step, error, velocities), tolerance)),
      };
    },
  };
}

function laterStages({ c, a }: ButcherTableau): Stage[] {
  return a.map((row, i) => ({ c: c[i]!, a: row })).slice(1);
}

/** The velocities of a step's stages, the first of which is known, and the point of the last. */
function follow(field: VelocityField, step: Step, first: Tensor, stages: readonly Stage[]) {
  const { z, t, next, size } = step;
  const velocities = [first];
  let point = z;
  for (const { c, a } of stages) {
    point = add(z, increment(step, a, velocities));
    const time = c === 0 ? t : c === 1 ? next : add(t, mul(size, c));
    velocities.push(field(point, time, time));
  }
  return { point, velocities };
}

/** size · Σ wᵢ vᵢ */
function increment({ size }: Step, weights: Weights, velocities: readonly Tensor[]): Tensor {
  const { parts, of } = 'parts' in weights ? weights : { parts: weights, of: 1 };
  const sums = new Map<number, Tensor>();
  velocities.forEach((velocity, i) => {
    const weight = parts[i] ?? 0;
    const sum = sums.get(weight);
    if (weight !== 0) sums.set(weight, sum === undefined ? velocity : add(sum, velocity));
  });
  const terms = Array.from(sums, ([weight, sum]) => (weight === 1 ? sum : mul(sum, weight)));
  return mul(of === 1 ? size : mul(size, 1 / of), terms.reduce((total, term) => add(total, term))); // prettier-ignore
}

function sameWeights(a: Weights, b: Weights): boolean {
  const [x, y] = [weightValues(a), weightValues(b)];
  return Array.from({ length: Math.max(x.length, y.length) }).every((_, i) => (x[i] ?? 0) === (y[i] ?? 0));
}
