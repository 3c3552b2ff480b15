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

/** Listens for requests to stop: the first one aborts the signal, the next ends the process. */
export class Interrupt {
  private readonly controller = new AbortController();
  private readonly listeners = new Map<StopSignalName, () => void>();

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Begins to listen: until then requests end the process, as they do by themselves. */
  listen(): void {
    let first: number | undefined;
    for (const name of stopSignals) {
      const listener = (): void => {
        const now = performance.now();
        if (first === undefined) {
          first = now;
          this.controller.abort(new Interruption(name));
        } else if (now - first > SAME_REQUEST) process.exit(statusOf(name));
      };
      process.on(name, listener);
      this.listeners.set(name, listener);
    }
  }

  /** Leaves requests to the process again. */
  end(): void {
    for (const [name, listener] of this.listeners) process.removeListener(name, listener);
    this.listeners.clear();
  }
}

/** Runs `work` with a signal that the first request to stop aborts. */
export async function withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new Interrupt();
  interrupt.listen();
  try {
    return await work(interrupt.signal);
  } finally {
    interrupt.end();
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
