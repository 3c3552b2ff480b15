/** Solvers by name, and how many of their steps a number of network evaluations is. */
import { ArgumentError } from '@meanflow/core';
import { dormandPrince, fixedStepSolvers, uniformGrid, type Solver } from '@meanflow/samplers';
import type { SamplingSettings, SolverName } from '../config/schema.js';

/** The solver of a name. */
export function solverOf(name: SolverName): Solver {
  return name === 'dormand-prince' ? dormandPrince() : fixedStepSolvers[name];
}

/**
 * The steps that `nfe` evaluations of the network allow.
 *
 * @param isGuided whether each evaluation is made twice, with and without the class
 * @throws {ArgumentError} when they are not a whole number of steps, or the solver chooses its steps itself
 */
export function stepsFor(
  { solver: name }: Pick<SamplingSettings, 'solver'>,
  nfe: number,
  isGuided: boolean,
): number {
  const solver = solverOf(name);
  if (solver.kind === 'adaptive') {
    throw new ArgumentError(
      `The solver "${name}" chooses its steps by itself, so that no number of evaluations (NFE) can be set.`,
    );
  }
  const perStep = solver.evaluationsPerStep * (isGuided ? 2 : 1);
  const steps = nfe / perStep;
  if (Number.isInteger(steps) && steps > 0) return steps;
  const guided = isGuided ? ' with classifier-free guidance' : '';
  throw new ArgumentError(
    `The solver "${name}"${guided} makes ${perStep} network evaluations a step, so NFE must be a multiple of ${perStep}; ` +
      `got ${nfe}.`,
  );
}

/** Uniform times for `nfe` evaluations; just the two ends for a solver that chooses its steps. */
export function timesFor(
  sampling: Pick<SamplingSettings, 'solver'>,
  nfe: number | undefined,
  isGuided: boolean,
): number[] {
  return uniformGrid(nfe === undefined ? 1 : stepsFor(sampling, nfe, isGuided));
}
