/**
 * The host's loop around an adaptive solver: the device computes a step and its error estimate, and the host reads
 * that one number, keeps or repeats the step and chooses the next size. A batch takes its steps together.
 */
import {
  abs,
  add,
  div,
  HostArray,
  MeanflowError,
  mul,
  sub,
  type DeviceArray,
  type Tensor,
} from '@meanflow/core';
import { pick } from '@meanflow/core/validation';
import type { VelocityField } from './field.js';
import type { ChunkInputs, ChunkResult } from './fixed-step-run.js';
import { scalar, type Program } from './program.js';
import type { AdaptiveSolver } from './solvers/solver.js';
import { firstSize, nextSize, rootMeanSquare, trialSize } from './solvers/step-controller.js';

/** The programs of an adaptive solver. */
export interface AdaptivePrograms {
  /** The first velocity, and the sizes that the first step is chosen from. */
  readonly start: Program;
  /** From the first velocity and a trial step, how fast the velocity changes. */
  readonly probe: Program;
  /** One attempted step. */
  readonly attempt: Program;
}

type Values = Readonly<Record<string, Tensor>>;

/** The bodies of the three programs. */
export function adaptiveBodies(solver: AdaptiveSolver) {
  const tolerance = (z: Tensor): Tensor =>
    add(solver.absoluteTolerance, mul(solver.relativeTolerance, abs(z)));
  return {
    start: (field: VelocityField, values: Values): Record<string, Tensor> => {
      const { z, t } = pick(values, 'z', 't');
      const velocity = field(z, t, t);
      return {
        velocity,
        position: rootMeanSquare(div(z, tolerance(z))),
        speed: rootMeanSquare(div(velocity, tolerance(z))),
      };
    },
    probe: (field: VelocityField, values: Values): Record<string, Tensor> => {
      const { z, velocity, t, step } = pick(values, 'z', 'velocity', 't', 'step');
      const time = add(t, step);
      const change = sub(field(add(z, mul(step, velocity)), time, time), velocity);
      return { change: rootMeanSquare(div(change, tolerance(z))) };
    },
    attempt: (field: VelocityField, values: Values): Record<string, Tensor> => {
      const { z, velocity, t, step } = pick(values, 'z', 'velocity', 't', 'step');
      return { ...solver.attempt(field, z, velocity, t, step) };
    },
  };
}

async function readScalar(value: DeviceArray): Promise<number> {
  const host = await value.read();
  value.dispose();
  return host.item();
}

/**
 * z and the velocity there, on the device; disposing is for what a backend made, not for what the caller
 * passed.
 */
interface State {
  readonly z: HostArray<'float32'> | DeviceArray;
  readonly velocity: DeviceArray;
}

async function readState({ z }: State): Promise<HostArray<'float32'>> {
  return z instanceof HostArray ? z : (await z.read()).to('float32');
}

function release({ z, velocity }: State): void {
  if (!(z instanceof HostArray)) z.dispose();
  velocity.dispose();
}

/**
 * @throws {MeanflowError} when the solver's `maxSteps` do not reach the last time, when the step size
 *   vanishes or when the error is not a number
 */
export async function runAdaptive(
  solver: AdaptiveSolver,
  programs: AdaptivePrograms,
  inputs: ChunkInputs,
): Promise<ChunkResult> {
  const { noise, times, trajectory, run } = inputs;
  const [begin, ...ends] = times;
  const span = Math.abs((ends.at(-1) ?? begin) - begin);
  const direction = Math.sign((ends.at(-1) ?? begin) - begin);
  let t = begin;
  const first = pick(await run(programs.start, { z: noise, t: scalar(t) }), 'velocity', 'position', 'speed');
  let state: State = { z: noise, velocity: first.velocity };
  let evaluations = programs.start.evaluations;
  let rejectedSteps = 0;
  const states: HostArray<'float32'>[] = trajectory ? [noise] : [];
  try {
    const [position, speed] = [await readScalar(first.position), await readScalar(first.speed)];
    const trial = trialSize(position, speed, span);
    const probing = { ...state, t: scalar(t), step: scalar(direction * trial) };
    const probed = pick(await run(programs.probe, probing), 'change');
    evaluations += programs.probe.evaluations;
    const steepest = Math.max(speed, (await readScalar(probed.change)) / trial);
    let size = firstSize(trial, steepest, solver.errorOrder, span);
    let attempts = 0;
    for (const target of ends) {
      let rejected = false;
      while (t !== target) {
        if (attempts++ >= solver.maxSteps) {
          throw new MeanflowError(
            `${solver.name} made ${solver.maxSteps} steps and only came to t = ${t}; raise maxSteps or the tolerances.`,
          );
        }
        const remaining = Math.abs(target - t);
        const isLast = size >= remaining * (1 - 1e-9);
        const taken = isLast ? remaining : size;
        const next = isLast ? target : t + direction * taken;
        if (Math.fround(next) === Math.fround(t)) {
          throw new MeanflowError(
            `${solver.name}: the step size vanished at t = ${t}; the tolerances ask for more than single precision has.`,
          );
        }
        const attempting = { ...state, t: scalar(t), step: scalar(direction * taken) };
        const attempt = pick(await run(programs.attempt, attempting), 'z', 'velocity', 'error');
        evaluations += programs.attempt.evaluations;
        const after: State = { z: attempt.z, velocity: attempt.velocity };
        const error = await readScalar(attempt.error);
        if (!Number.isFinite(error)) {
          release(after);
          throw new MeanflowError(`${solver.name}: the velocity at t = ${t} is not finite.`);
        }
        const proposed = nextSize(taken, error, solver.errorOrder, rejected);
        if (error > 1) {
          release(after);
          rejectedSteps++;
          rejected = true;
          size = proposed;
          continue;
        }
        release(state);
        state = after;
        t = next;
        // A step cut short to hit a time says little about the next.
        size = isLast ? Math.max(size, proposed) : proposed;
        rejected = false;
      }
      if (trajectory) states.push(await readState(state));
    }
    const samples = states.at(-1) ?? (await readState(state));
    return { samples, states, evaluations, rejectedSteps };
  } finally {
    release(state);
  }
}
