/**
 * Being told to stop: by Ctrl-C, by whoever schedules machines (SIGTERM of Slurm, Kubernetes and systemd) or by a terminal that is
 * closed (SIGHUP). The first signal asks the running work to stop in order, a second one ends the process at once.
 */
import { constants } from 'node:os';
import { stopSignals, type StopSignalName } from '@meanflow/runs/processes';

/** Why work was stopped: the reason of the signal that `withInterrupt` gives. */
class Interruption extends Error {
  constructor(readonly signal: StopSignalName) {
    super(`stopped by ${signal}`);
  }

  override get name(): string {
    return 'Interruption';
  }
}

/** Milliseconds within which the same request may come twice: to the whole group, and passed on by npm or a shell. */
const SAME_REQUEST = 200;

/** Runs `work` with a signal that the first request to stop aborts. */
export async function withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let first: number | undefined;
  const listeners = stopSignals.map((name) => {
    const listener = (): void => {
      const now = performance.now();
      if (first === undefined) {
        first = now;
        controller.abort(new Interruption(name));
      } else if (now - first > SAME_REQUEST) process.exit(statusOf(name));
    };
    process.on(name, listener);
    return [name, listener] as const;
  });
  try {
    return await work(controller.signal);
  } finally {
    for (const [name, listener] of listeners) process.removeListener(name, listener);
  }
}

/**
 * Exit status of a command that was stopped, by the shell's convention: 128 and the signal's number, which is 130 after Ctrl-C, 143
 * after SIGTERM and 129 after SIGHUP.
 */
export function interruptStatus({ reason }: AbortSignal): number {
  return statusOf(reason instanceof Interruption ? reason.signal : 'SIGINT');
}

function statusOf(name: StopSignalName): number {
  return 128 + constants.signals[name];
}
