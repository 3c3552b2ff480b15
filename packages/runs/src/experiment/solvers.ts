/** Solvers by name, and how many of their steps a number of network evaluations is. */
import { ArgumentError, didYouMean } from '@meanflow/core';
import { dormandPrince, fixedStepSolvers, uniformGrid, type Solver } from '@meanflow/samplers';
import type { SamplingSettings } from '../config/schema.js';
import { solverNames, type SolverName } from '../names.js';

/** The solver of a name. */
export function solverOf(name: SolverName): Solver {
  return name === 'dormand-prince' ? dormandPrince() : fixedStepSolvers[name]!;
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

/** One step where a step crosses all of the interval, else as many as the model is evaluated with at most. */
export function defaultEvaluations({
  sampling: { solver, nfe },
}: {
  readonly sampling: Pick<SamplingSettings, 'solver' | 'nfe'>;
}): number {
  return solver === 'average-velocity' ? Math.min(...nfe) : Math.max(...nfe);
}

/** @throws {ArgumentError} when there is no solver of that name, with the nearest one */
export function solverNamed(name: string | undefined): SolverName | undefined {
  if (name === undefined) return undefined;
  const found = solverNames.find((candidate) => candidate === name);
  if (found !== undefined) return found;
  throw new ArgumentError(
    `There is no solver "${name}".${didYouMean(name, solverNames)} Known are ${solverNames.join(', ')}.`,
  );
}
