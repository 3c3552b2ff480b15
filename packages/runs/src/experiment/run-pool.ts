/**
 * Several runs at a time, each in a process with its share of the cores. Small networks do not keep two cores busy with one
 * run, and a run blocks the thread that it is made on; runs side by side use the machine fully.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { MeanflowError } from '@meanflow/core';
import type { BeginProgress, Progress } from '@meanflow/training';
import type { FinishedRun, RunTask } from './one-run.js';
import type { PluginRequest } from '../plugins/load.js';
import { stopSignals } from '../processes.js';
import { reviveArrays, type FromWorker, type ToWorker } from './run-messages.js';

export interface RunPoolOptions {
  /** Runs at a time. */
  readonly jobs: number;
  /** Processor threads of each. */
  readonly threads: number;
  readonly backend: string;
  /** What each loads before anything else. */
  readonly plugins: readonly PluginRequest[];
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onBeginning: (task: RunTask, progress: BeginProgress) => void;
  readonly onProgress: (task: RunTask, progress: Progress) => void;
  readonly onNotice: (task: RunTask, sentence: string) => void;
}

/** The worker's entry: beside this file, and like it built or source. */
const entry = fileURLToPath(import.meta.url).replace(/run-pool(?=\.\w+$)/, 'run-worker');

/** Processes that make runs. Close it to end them. */
export class RunPool {
  private readonly idle: ChildProcess[] = [];
  private readonly waiting: ((worker: ChildProcess) => void)[] = [];
  private readonly workers = new Set<ChildProcess>();

  constructor(private readonly options: RunPoolOptions) {
    const { jobs, signal } = options;
    this.idle.push(...Array.from({ length: jobs }, () => this.begin()));
    signal.addEventListener('abort', () => this.workers.forEach((worker) => tell(worker, { kind: 'stop' })));
  }

  /**
   * Makes a run as soon as a process is free.
   *
   * @returns undefined when the signal stopped it
   * @throws {MeanflowError} when it fails, or when its process ends before it does
   */
  readonly train = async (task: RunTask): Promise<FinishedRun | undefined> => {
    const worker = this.living(
      this.idle.pop() ?? (await new Promise<ChildProcess>((resolve) => this.waiting.push(resolve))),
    );
    try {
      return this.options.signal.aborted ? undefined : await this.trainOn(worker, task);
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.idle.push(worker);
      else next(worker);
    }
  };

  /** Ends the processes, which do not hear a signal to stop but from here: they end when they are let go of. */
  close(): void {
    for (const worker of this.workers) if (worker.connected) worker.disconnect();
  }

  private begin(): ChildProcess {
    const { backend, threads, plugins } = this.options;
    const worker = fork(entry, { serialization: 'advanced' });
    tell(worker, { kind: 'open', backend, threads, plugins });
    this.workers.add(worker);
    return worker;
  }

  /** The process, or another one where it has ended: the run that it was lost with is the only one to fail. */
  private living(worker: ChildProcess): ChildProcess {
    if (this.options.signal.aborted || (worker.exitCode === null && worker.signalCode === null))
      return worker;
    this.workers.delete(worker);
    return this.begin();
  }

  private trainOn(worker: ChildProcess, task: RunTask): Promise<FinishedRun | undefined> {
    const { folder, signal: stopped, onBeginning, onProgress, onNotice } = this.options;
    return new Promise<FinishedRun | undefined>((resolve, reject) => {
      const settle = (act: () => void): void => {
        worker.off('message', hear).off('exit', lose).off('error', fail);
        act();
      };
      const hear = (message: FromWorker): void => {
        if (message.kind === 'progress') onProgress(task, message.progress);
        else if (message.kind === 'beginning') onBeginning(task, message.progress);
        else if (message.kind === 'notice') onNotice(task, message.sentence);
        else if (message.kind === 'failed') settle(() => reject(errorOf(message)));
        else settle(() => resolve(reviveArrays(message.result) as FinishedRun | undefined));
      };
      const lose = (code: number | null, signal: string | null): void => {
        // Ctrl-C and the like end a process that is not yet ready to leave it to its parent.
        if (stopped.aborted || stopSignals.some((name) => name === signal))
          return settle(() => resolve(undefined));
        const why = signal === null ? `with status ${code}` : `by ${signal}`;
        settle(() =>
          reject(
            new MeanflowError(
              `A process that trained was ended ${why}. Is there enough memory? Try --jobs 1.`,
            ),
          ),
        );
      };
      const fail = ({ message }: Error): void =>
        settle(() => reject(new MeanflowError(`A process to train in cannot be started: ${message}.`)));
      worker.on('message', hear).on('exit', lose).on('error', fail);
      if (worker.exitCode !== null || worker.signalCode !== null) lose(worker.exitCode, worker.signalCode);
      else {
        const { run, withPictures, classifier } = task;
        tell(worker, { kind: 'run', config: run.config, folder, withPictures, classifier });
      }
    });
  }
}

/** A run's error as it was where it happened, as far as it crosses a process border. */
function errorOf({ message, stack, isBug }: FromWorker & { kind: 'failed' }): Error {
  return Object.assign(isBug ? new Error(message) : new MeanflowError(message), stack && { stack });
}

function tell(worker: ChildProcess, message: ToWorker): void {
  // A worker that is gone is noticed by its exit.
  if (worker.connected) worker.send(message, () => {});
}
