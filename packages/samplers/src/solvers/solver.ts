/**
 * What a solver is. A fixed-step solver advances z from one time of a grid to the next by a traced `step`; an
 * adaptive one chooses its steps from an error estimate that is computed with them. Times run from noise (1)
 * to data (0), but any solver may run either way.
 */
import type { Tensor } from '@meanflow/core';
import type { VelocityField } from '../field.js';

/** One step at a time over a given grid. */
export interface FixedStepSolver {
  readonly kind: 'fixed';
  readonly name: string;
  /** Global error falls as (step size)^order. Infinite when there is no discretisation error at all. */
  readonly order: number;
  /** Evaluations of the field in one step. */
  readonly evaluationsPerStep: number;
  /**
   * z at time `next`, from z at time `t`.
   *
   * @param z `[batch, ...features]`
   * @param t the time of `z`, a float32 scalar
   * @param next the time to advance to, a float32 scalar
   */
  step(field: VelocityField, z: Tensor, t: Tensor, next: Tensor): Tensor;
}

/** What one attempted step of an adaptive solver gives. */
export interface AttemptedStep {
  /** z at time t + step. */
  readonly z: Tensor;
  /** The velocity there, which is the next step's first. */
  readonly velocity: Tensor;
  /** The error estimate in units of the tolerance, a scalar: the step is good when it is at most 1. */
  readonly error: Tensor;
}

/** Steps of its own choice, held to a tolerance. */
export interface AdaptiveSolver {
  readonly kind: 'adaptive';
  readonly name: string;
  readonly order: number;
  /** Order of the error estimate: the error of a step falls as (step size)^(errorOrder + 1). */
  readonly errorOrder: number;
  /** Evaluations of the field in one attempted step, the first velocity being known. */
  readonly evaluationsPerStep: number;
  readonly relativeTolerance: number;
  readonly absoluteTolerance: number;
  /** Attempted steps after which integration is given up. */
  readonly maxSteps: number;
  /**
   * @param velocity the field's value at (z, t)
   * @param step signed, a float32 scalar
   */
  attempt(field: VelocityField, z: Tensor, velocity: Tensor, t: Tensor, step: Tensor): AttemptedStep;
}

export type Solver = FixedStepSolver | AdaptiveSolver;
