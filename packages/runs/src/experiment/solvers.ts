/** How many steps of a solver a number of network evaluations is. */
import { ArgumentError } from '@meanflow/core';
import { solvers, uniformGrid } from '@meanflow/samplers';
import type { SamplingSettings } from '../config/schema.js';

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
  const solver = solvers.get(name);
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

/** @throws {ArgumentError} when a solver is named and there is none of that name, with the nearest one */
export function solverNamed(name: string | undefined): string | undefined {
  return name === undefined ? undefined : solvers.get(name).name;
}
