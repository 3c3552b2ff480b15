/** The progress of several runs as one: their steps together, and a line for each run that is done. */
import type { Progress } from '@meanflow/training';
import type { Io } from './io.js';
import { showProgress } from './progress.js';

/** Shows runs that are made side by side. */
export interface CombinedProgress {
  /** @param run tells the runs apart */
  update(run: object, progress: Progress): void;
  /** Says that a run is done. */
  finish(run: object, message: string): void;
  stop(): void;
}

/** @param steps updates of all runs together */
export function showCombinedProgress(label: string, steps: number, io: Io): CombinedProgress {
  const view = showProgress(label, io);
  const latest = new Map<object, Progress>();
  const started = performance.now();
  let finishedSteps = 0;
  return {
    update: (run, progress) => {
      latest.set(run, progress);
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
    finish: (run, message) => {
      finishedSteps += latest.get(run)?.steps ?? 0;
      latest.delete(run);
      // A bar begins anew below the line.
      view.stop();
      io.err(message);
    },
    stop: () => view.stop(),
  };
}
