/** What a run of the kit found, and its summary by op: the rows of the matrix. */
import { BackendError, MeanflowError, type DeviceInfo } from '@meanflow/core';
import type { Aspect } from '../cases/case.js';

/** What became of one case. */
export interface CaseResult {
  readonly id: string;
  readonly op: string;
  readonly aspect: Aspect;
  readonly outcome: 'passed' | 'failed' | 'unsupported';
  /** The worst error in units of its tolerance, of cases that compare numbers. */
  readonly worst?: number;
  /** Where the worst error was, or what went wrong. */
  readonly detail?: string;
  /** Why it is unsupported. */
  readonly reason?: string;
  /** Time that the case took, the oracle's included. */
  readonly seconds: number;
}

/** One backend's results. Plain JSON, but for infinities. */
export interface Report {
  /** The backend's name. */
  readonly backend: string;
  readonly device: DeviceInfo;
  readonly results: readonly CaseResult[];
  /** Where and why the run ended before its last case, such as a process that died; the results are those until then. */
  readonly ended?: string;
}

/** A backend that has no report. */
export interface Absence {
  /** The backend's name. */
  readonly backend: string;
  readonly reason: string;
  /** Whether it does not run here, as its own error says; otherwise something broke. */
  readonly isUnavailable: boolean;
}

/** What an error says of a backend that has no report: one that is none of ours is a bug, which its stack tells of. */
export function absence(backend: string, error: unknown): Absence {
  const isOurs = error instanceof MeanflowError;
  const said =
    error instanceof Error ? (isOurs ? error.message : (error.stack ?? String(error))) : String(error);
  return { backend, reason: said, isUnavailable: error instanceof BackendError };
}

/** The cases of one op on one backend. */
export interface OpSummary {
  readonly op: string;
  readonly passed: number;
  readonly failed: number;
  readonly unsupported: number;
  /** The worst error in units of its tolerance; undefined when nothing was compared. */
  readonly worst: number | undefined;
  readonly seconds: number;
}

/** Whether every case was run and nothing failed. Unsupported cases have their reasons. */
export function conforms({ results, ended }: Report): boolean {
  return ended === undefined && results.every(({ outcome }) => outcome !== 'failed');
}

/** Summaries by op, in the order of the cases. */
export function summarise({ results }: Report): readonly OpSummary[] {
  const byOp = groupBy(results, ({ op }) => op);
  return [...byOp].map(([op, cases]) => {
    const count = (outcome: CaseResult['outcome']) =>
      cases.filter((entry) => entry.outcome === outcome).length;
    const errors = cases.flatMap(({ worst }) => (worst === undefined ? [] : [worst]));
    return {
      op,
      passed: count('passed'),
      failed: count('failed'),
      unsupported: count('unsupported'),
      worst: errors.length > 0 ? Math.max(...errors) : undefined,
      seconds: cases.reduce((total, { seconds }) => total + seconds, 0),
    };
  });
}

/** What cases that compare no numbers measured, such as memory. */
export function measurements({ results }: Report): readonly (CaseResult & { readonly detail: string })[] {
  return results.flatMap((result) => {
    const { outcome, worst, detail } = result;
    return outcome === 'passed' && worst === undefined && detail !== undefined ? [{ ...result, detail }] : [];
  });
}

/** What is unsupported and why, by reason. */
export function unsupportedReasons({ results }: Report): ReadonlyMap<string, readonly CaseResult[]> {
  const unsupported = results.filter(({ outcome }) => outcome === 'unsupported');
  return groupBy(unsupported, ({ reason = '' }) => reason);
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
