/** Progress of a training run: a bar where there is a terminal, else a line now and then. */
import type { Progress } from '@meanflow/training';
import cliProgress from 'cli-progress';
import { countText, durationText, rateText } from '@meanflow/runs/command';
import type { Io } from './io.js';

/** Shows a run's progress until it is stopped. */
export interface ProgressView {
  update(progress: Progress): void;
  /** Ends the bar. Doing so twice is allowed. */
  stop(): void;
}

export interface ProgressOptions {
  /** Ends the bar for good, so that a second Ctrl-C, which ends the process on the spot, finds the cursor shown. */
  readonly signal?: AbortSignal;
  /** What the bar is drawn on; standard error by default. */
  readonly stream?: NodeJS.WritableStream;
}

/** Lines without a terminal come at this distance at least, in seconds. */
const LINE_EVERY = 10;

export function showProgress(label: string, io: Io, options: ProgressOptions = {}): ProgressView {
  return io.isInteractive ? bar(label, io, options) : lines(label, io);
}

function bar(label: string, { err }: Io, { signal, stream = process.stderr }: ProgressOptions): ProgressView {
  const view = new cliProgress.SingleBar({
    format: `${label}  {bar} {percentage}%  {value}/{total} steps  loss {loss}  {rate}  {left} left`,
    barCompleteChar: '━',
    barIncompleteChar: '─',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    stopOnComplete: false,
    fps: 10,
    stream,
  });
  let isStarted = false;
  const stop = (): void => {
    if (isStarted) view.stop();
    isStarted = false;
  };
  const onAbort = (): void => {
    stop();
    err('Stopping; Ctrl-C once more ends it at once.\n');
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  return {
    update: (progress) => {
      if (signal?.aborted) return;
      const payload = { loss: lossText(progress), rate: speedText(progress), left: leftText(progress) };
      if (!isStarted) view.start(progress.steps, progress.step, payload);
      isStarted = true;
      view.update(progress.step, payload);
    },
    stop,
  };
}

function lines(label: string, { err }: Io): ProgressView {
  let last = 0;
  return {
    update: (progress) => {
      if (progress.secondsElapsed - last < LINE_EVERY) return;
      last = progress.secondsElapsed;
      const { step, steps } = progress;
      const done = `${countText(step)} of ${countText(steps)} steps`;
      err(
        `${label}: ${done}, loss ${lossText(progress)}, ${speedText(progress)}, ${leftText(progress)} left\n`,
      );
    },
    stop: () => {},
  };
}

function lossText({ loss }: Progress): string {
  return loss === undefined ? '–' : loss.toPrecision(3);
}

function speedText({ samplesPerSecond }: Progress): string {
  return `${rateText(samplesPerSecond)} samples/s`;
}

function leftText({ secondsLeft }: Progress): string {
  return secondsLeft === undefined ? '–' : durationText(Math.ceil(secondsLeft));
}
