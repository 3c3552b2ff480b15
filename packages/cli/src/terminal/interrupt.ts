/** Ctrl-C: the first one asks the running work to stop in order, the second ends the process at once. */

/** Runs `work` with a signal that the first interrupt aborts. */
export async function withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  // With `once`, a second interrupt finds no listener and so does what it does by default.
  const onInterrupt = (): void => controller.abort();
  process.once('SIGINT', onInterrupt);
  try {
    return await work(controller.signal);
  } finally {
    process.removeListener('SIGINT', onInterrupt);
  }
}

/** Exit status of a command that was interrupted, by the shell's convention. */
export const INTERRUPTED = 130;
