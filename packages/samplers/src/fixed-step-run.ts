/**
 * The host's loop around a fixed-step solver: one executable for a step, the state left on the device between
 * runs.
 */
import type { DeviceArray, HostArray, RunInput, RunOptions, Tensor } from '@meanflow/core';
import { pick } from '@meanflow/core/validation';
import type { VelocityField } from './field.js';
import type { TimeGrid } from './grid.js';
import { scalar, type Program } from './program.js';
import type { FixedStepSolver } from './solvers/solver.js';

/** How one chunk of samples came about. */
export interface ChunkResult {
  /** z at the last time. */
  readonly samples: HostArray<'float32'>;
  /** z at each time of the grid, where it was asked for. */
  readonly states: readonly HostArray<'float32'>[];
  /** Evaluations of the network, for each sample. */
  readonly evaluations: number;
  /** Steps that were attempted and not accepted. */
  readonly rejectedSteps: number;
}

/** What the programs of a chunk are run with. */
export interface ChunkInputs {
  readonly noise: HostArray<'float32'>;
  readonly times: TimeGrid;
  readonly trajectory: boolean;
  readonly options: RunOptions;
  /** Runs a program with parameters and conditions filled in. */
  run(program: Program, values: Readonly<Record<string, RunInput>>): Promise<Record<string, DeviceArray>>;
}

/** One step of `solver` as a function of `z`, `t` and `next`. */
export function fixedStepBody(solver: FixedStepSolver) {
  return (field: VelocityField, values: Readonly<Record<string, Tensor>>): Record<string, Tensor> => {
    const { z, t, next } = pick(values, 'z', 't', 'next');
    return { z: solver.step(field, z, t, next) };
  };
}

/** Runs `step` over the grid. What is on the device is freed, also when a step fails. */
export async function runFixedSteps(step: Program, inputs: ChunkInputs): Promise<ChunkResult> {
  const { noise, times, trajectory, run } = inputs;
  const states: HostArray<'float32'>[] = trajectory ? [noise] : [];
  let z: DeviceArray | undefined;
  let evaluations = 0;
  try {
    const [begin, ...ends] = times;
    let t = begin;
    for (const next of ends) {
      const results = await run(step, { z: z ?? noise, t: scalar(t), next: scalar(next) });
      ({ z } = pick(results, 'z'));
      t = next;
      evaluations += step.evaluations;
      if (trajectory) states.push((await z.read()).to('float32'));
    }
    const samples = states.at(-1) ?? (await z!.read()).to('float32');
    return { samples, states, evaluations, rejectedSteps: 0 };
  } finally {
    z?.dispose();
  }
}
