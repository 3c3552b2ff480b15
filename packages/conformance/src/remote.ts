/**
 * The kit on a backend that is elsewhere: in another process, in a browser. The one that has the backend calls `serveConformance` and
 * sends what it tells; the one that wants the report calls `remoteReport`. A death or a silence on the other side costs the cases
 * that are left, not the results that are here.
 */
import { BackendError, MeanflowError, type Backend, type DeviceInfo } from '@meanflow/core';
import type { Case } from './cases/case.js';
import { casesOf, conformanceCases } from './cases/index.js';
import type { CaseResult, Report } from './report/report.js';
import { runCases, type ConformanceOptions } from './run.js';

/** What the side with the backend tells, in this order. Plain data, but for infinities. */
export type RemoteMessage =
  | { readonly kind: 'opened'; readonly device: DeviceInfo }
  /** Instead of all others: it cannot be opened. `isBug` when the error is none of ours. */
  | { readonly kind: 'absent'; readonly message: string; readonly stack?: string; readonly isBug: boolean }
  | { readonly kind: 'result'; readonly result: CaseResult }
  | { readonly kind: 'finished' };

/**
 * Opens a backend, runs cases on it, disposes of it, and tells of all that.
 *
 * @param cases their ids
 * @param further those of them that are not the kit's own, as the other side has them
 */
export async function serveConformance(
  open: () => Promise<Backend>,
  cases: readonly string[],
  tell: (message: RemoteMessage) => void,
  further: readonly Case[] = [],
): Promise<void> {
  const refuse = (error: unknown, isBug: boolean): void => {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    tell({ kind: 'absent', message, ...(stack && { stack }), isBug });
  };
  let chosen: readonly Case[];
  try {
    chosen = casesOf(cases, further);
  } catch (error) {
    return refuse(error, true);
  }
  let backend: Backend;
  try {
    backend = await open();
  } catch (error) {
    return refuse(error, !(error instanceof MeanflowError));
  }
  tell({ kind: 'opened', device: backend.describe() });
  await runCases(backend, chosen, { onResult: (result) => tell({ kind: 'result', result }) });
  await backend.dispose();
  tell({ kind: 'finished' });
}

export interface RemoteOptions extends Pick<
  ConformanceOptions,
  'filter' | 'programs' | 'cases' | 'onResult'
> {
  /** Seconds without a result after which the other side counts as hanging; 300 by default. */
  readonly stallSeconds?: number;
}

/** How the other side is reached. */
export interface RemoteLine {
  /** The ids of the cases that it is to run. */
  readonly cases: readonly string[];
  /** To be called with each message, in their order. */
  hear(message: RemoteMessage): void;
  /** To be called when no message will come any more, with what happened, such as `its process ended with status 1`. */
  end(reason: string): void;
}

/**
 * The report of a backend that is elsewhere. It resolves as soon as the last message has come, or when the other side has ended or
 * hangs: then with what was found until then, and `ended`.
 *
 * @param name what the backend is called in the report
 * @param start makes the other side run the cases; called once
 * @throws {BackendError} when the backend cannot be opened there
 * @throws {MeanflowError} when the other side ends, or hangs, before the backend is open
 * @throws {Error} with the other side's stack, when what happened there is a bug
 */
export function remoteReport(
  name: string,
  options: RemoteOptions,
  start: (line: RemoteLine) => void,
): Promise<Report> {
  const { filter = () => true, onResult, stallSeconds = 300 } = options;
  const cases = conformanceCases(options)
    .filter(filter)
    .map(({ id }) => id);
  const results: CaseResult[] = [];
  let device: DeviceInfo | undefined;
  return new Promise((resolve, reject) => {
    let isSettled = false;
    let watchdog: ReturnType<typeof setTimeout> | undefined;
    const settle = (act: () => void): void => {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(watchdog);
      act();
    };
    const end = (reason: string): void =>
      settle(() => {
        if (device === undefined) {
          reject(new MeanflowError(`${name} could not be opened: ${reason}.`));
        } else {
          const place = results.length < cases.length ? `in ${cases[results.length]}` : 'after the last case';
          resolve({ backend: name, device, results, ended: `${place}: ${reason}` });
        }
      });
    const watch = (): void => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => end(`nothing was heard for ${stallSeconds} seconds`), stallSeconds * 1000);
    };
    const hear = (message: RemoteMessage): void => {
      if (isSettled) return;
      watch();
      if (message.kind === 'opened') device = { ...message.device, backend: name };
      else if (message.kind === 'result') {
        results.push(message.result);
        onResult?.(message.result, results.length, cases.length);
      } else if (message.kind === 'finished') {
        if (device === undefined) end('it finished before it was open');
        else resolveFinished(device);
      } else {
        settle(() => reject(errorOf(message)));
      }
    };
    const resolveFinished = (found: DeviceInfo): void =>
      settle(() => resolve({ backend: name, device: found, results }));
    watch();
    start({ cases, hear, end });
  });
}

function errorOf({ message, stack, isBug }: RemoteMessage & { readonly kind: 'absent' }): Error {
  return isBug ? Object.assign(new Error(message), stack && { stack }) : new BackendError(message);
}
