/**
 * The Dormand–Prince pair 5(4) (Dormand and Prince, "A family of embedded Runge–Kutta formulae", 1980): fifth
 * order, with a fourth-order solution for the error estimate. Its last evaluation is the next step's first,
 * so a step costs six.
 */
import {
  abs,
  add,
  ArgumentError,
  checkOptions,
  div,
  maximum,
  mean,
  mul,
  sqrt,
  type Tensor,
} from '@meanflow/core';
import type { AdaptiveSolver } from './solver.js';

/**
 * Rows 2 to 7 of the Butcher tableau: times and weights of the earlier stages. The last row is the solution.
 */
const STAGES: readonly { readonly c: number; readonly a: readonly number[] }[] = [
  { c: 1 / 5, a: [1 / 5] },
  { c: 3 / 10, a: [3 / 40, 9 / 40] },
  { c: 4 / 5, a: [44 / 45, -56 / 15, 32 / 9] },
  { c: 8 / 9, a: [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729] },
  { c: 1, a: [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656] },
  { c: 1, a: [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84] },
];

/** Weights of the solution less those of the embedded fourth-order one. */
const ERROR = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40];

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

const made = new Map<string, AdaptiveSolver>();

/**
 * The solver at given tolerances; the same object for the same ones, so that a sampler compiles its programs once.
 *
 * @throws {ArgumentError} when a tolerance is negative, both are 0 or `maxSteps` is not a positive whole
 *   number
 */
export function dormandPrince(tolerances: Tolerances = {}): AdaptiveSolver {
  checkOptions<Tolerances>('dormandPrince', tolerances, {
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
  const key = [relativeTolerance, absoluteTolerance, maxSteps].join();
  const known = made.get(key);
  if (known !== undefined) return known;
  const solver: AdaptiveSolver = {
    kind: 'adaptive',
    name: 'dormand-prince',
    order: 5,
    errorOrder: 4,
    evaluationsPerStep: STAGES.length,
    relativeTolerance,
    absoluteTolerance,
    maxSteps,
    // The tolerances of the solver that it is called on: a copy may have others.
    attempt(field, z, velocity, t, step) {
      const stages = [velocity];
      let end = z;
      for (const { c, a } of STAGES) {
        end = add(z, mul(step, weightedSum(a, stages)));
        const time = add(t, mul(step, c));
        stages.push(field(end, time, time));
      }
      const relative = mul(this.relativeTolerance, maximum(abs(z), abs(end)));
      const tolerance = add(this.absoluteTolerance, relative);
      const error = rootMeanSquare(div(mul(step, weightedSum(ERROR, stages)), tolerance));
      return { z: end, velocity: stages[stages.length - 1], error };
    },
  };
  made.set(key, Object.freeze(solver));
  return solver;
}

/** Σ wᵢ xᵢ over the weights that are not zero. */
function weightedSum(weights: readonly number[], tensors: readonly Tensor[]): Tensor {
  const terms = weights.flatMap((weight, i) => (weight === 0 ? [] : [mul(tensors[i], weight)]));
  return terms.reduce((total, term) => add(total, term));
}

/** √(mean of squares), over all elements. A scalar. */
export function rootMeanSquare(x: Tensor): Tensor {
  return sqrt(mean(mul(x, x)));
}
