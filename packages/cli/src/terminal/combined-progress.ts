/** The progress of several runs as one: their steps together, and a line for each run that is done. */
import type { Progress } from '@meanflow/training';
import type { Io } from './io.js';
import { showProgress, type ProgressOptions } from './progress.js';

/** A run, as far as its progress goes. */
export interface RunInProgress {
  readonly run: { readonly config: { readonly steps: number } };
}

/** Shows runs that are made side by side. */
export interface CombinedProgress {
  update(task: RunInProgress, progress: Progress): void;
  /** Says something between. */
  note(message: string): void;
  /** Says that a run is over; no more of its steps are waited for. */
  finish(task: RunInProgress, message: string): void;
  stop(): void;
}

/** @param steps updates of all runs together */
export function showCombinedProgress(
  label: string,
  steps: number,
  io: Io,
  options: ProgressOptions = {},
): CombinedProgress {
  const view = showProgress(label, io, options);
  const latest = new Map<RunInProgress, Progress>();
  const started = performance.now();
  let finishedSteps = 0;
  return {
    update: (task, progress) => {
      latest.set(task, progress);
      const running = [...latest.values()];
      const sum = (of: (progress: Progress) => number) =>
        running.reduce((total, each) => total + of(each), 0);
      const step = finishedSteps + sum((each) => each.step);
      const secondsElapsed = (performance.now() - started) / 1000;
      view.update({
        step,
        steps,
        loss: progress.loss,
        stepsPerSecond: sum((each) => each.stepsPerSecond),
        samplesPerSecond: sum((each) => each.samplesPerSecond),
        secondsElapsed,
        // Steps of different data sets take different times: over the whole, the average pace is the better guide.
        secondsLeft: step > 0 ? (secondsElapsed / step) * (steps - step) : undefined,
      });
    },
    note: (message) => {
      view.stop();
      io.err(message);
    },
    finish: (task, message) => {
      // A run may be over before it told of its progress.
      finishedSteps += task.run.config.steps;
      latest.delete(task);
      // A bar begins anew below the line.
      view.stop();
      io.err(message);
    },
    stop: () => view.stop(),
  };
}
