/**
 * Schedules: plain functions of the step, evaluated on the host in float64. A step is the number of updates made
 * before, so the first update is made at step 0.
 */
import { ArgumentError } from '@meanflow/core';
import { describeValue } from '@meanflow/core/validation';

/** A value for each step from 0. */
export type Schedule = (step: number) => number;

/** A schedule, or a number for a constant one. */
export type ScheduleLike = Schedule | number;

/** The same value at every step. */
export function constantSchedule(value: number): Schedule {
  checkFinite('constantSchedule', { value });
  return () => value;
}

/**
 * A number as a constant schedule; a schedule as it is.
 *
 * @param what it is, for the error
 * @throws {ArgumentError} when it is neither
 */
export function toSchedule(schedule: ScheduleLike, what = 'A schedule'): Schedule {
  if (typeof schedule === 'function') return schedule;
  if (typeof schedule === 'number') return constantSchedule(schedule);
  throw new ArgumentError(`${what} is a number or a function of the step, got ${describeValue(schedule)}.`);
}

/**
 * From `from` at step 0 in a straight line to `to` at step `steps`, and `to` from there on. With `from` 0 it is the
 * linear warm-up of improved MeanFlow, whose first rate is 0; with a small `from` it is PyTorch's `LinearLR`, as in
 * MeanFlow's CIFAR-10 recipe.
 *
 * @throws {ArgumentError} when `steps` is not a positive whole number
 */
export function linearSchedule(from: number, to: number, steps: number): Schedule {
  checkFinite('linearSchedule', { from, to });
  checkSteps('linearSchedule', steps);
  return (step) => (step >= steps ? to : from + (to - from) * (step / steps));
}

/**
 * From `from` at step 0 along half a cosine to `to` at step `steps`, and `to` from there on (Loshchilov and Hutter,
 * "SGDR", 2017, without restarts).
 *
 * @throws {ArgumentError} when `steps` is not a positive whole number
 */
export function cosineSchedule(from: number, to: number, steps: number): Schedule {
  checkFinite('cosineSchedule', { from, to });
  checkSteps('cosineSchedule', steps);
  return (step) => (step >= steps ? to : to + (from - to) * 0.5 * (1 + Math.cos((Math.PI * step) / steps)));
}

/**
 * One schedule after another. Each counts its steps from the boundary at which it begins.
 *
 * @param boundaries the steps at which the second, third, … begin; increasing, one fewer than the schedules
 * @throws {ArgumentError} when they are not
 */
export function joinSchedules(schedules: readonly ScheduleLike[], boundaries: readonly number[]): Schedule {
  if (schedules.length === 0 || boundaries.length !== schedules.length - 1) {
    throw new ArgumentError(
      `joinSchedules: ${schedules.length} schedules need one boundary fewer, got ${boundaries.length}.`,
    );
  }
  const starts = [0, ...boundaries];
  if (!starts.every((start, i) => Number.isSafeInteger(start) && (i === 0 || start > starts[i - 1]!))) {
    throw new ArgumentError(
      `joinSchedules: boundaries are increasing whole numbers above 0, got [${boundaries.join(', ')}].`,
    );
  }
  const parts = schedules.map((schedule) => toSchedule(schedule));
  return (step) => {
    const part = starts.findLastIndex((start) => step >= start);
    return parts[part]!(step - starts[part]!);
  };
}

/**
 * A linear warm-up from `from` over `steps` steps to where `schedule` begins, then `schedule`, counted from there.
 *
 * @param steps 0 for no warm-up
 */
export function warmUpSchedule(schedule: ScheduleLike, steps: number, from = 0): Schedule {
  const main = toSchedule(schedule);
  return steps === 0 ? main : joinSchedules([linearSchedule(from, main(0), steps), main], [steps]);
}

function checkSteps(context: string, steps: number): void {
  if (!Number.isSafeInteger(steps) || steps < 1) {
    throw new ArgumentError(`${context}: steps is a whole number from 1, got ${steps}.`);
  }
}

function checkFinite(context: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!Number.isFinite(value))
      throw new ArgumentError(`${context}: ${name} is a finite number, got ${value}.`);
  }
}
