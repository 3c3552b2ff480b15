/** The training of the classifier that judges images, as the terminal shows it. */
import type { Progress } from '@meanflow/training';
import type { Io } from './io.js';
import { showProgress } from './progress.js';

/** What is told of a classifier's training; `stop` ends the bar. */
export interface ClassifierProgress {
  readonly onProgress: (progress: Progress) => void;
  readonly onNotice: (sentence: string) => void;
  stop(): void;
}

/** Shows the training of a data set's classifier until it is stopped. */
export function showClassifierProgress(
  dataset: string,
  io: Io,
  signal: AbortSignal | undefined,
): ClassifierProgress {
  const view = showProgress(`classifier of ${dataset}`, io, signal && { signal });
  return {
    onProgress: view.update,
    onNotice: (sentence) => {
      view.stop();
      io.err(`${sentence}\n`);
    },
    stop: view.stop,
  };
}
