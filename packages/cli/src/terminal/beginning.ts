/**
 * What goes before the first step or the first sample, as one line that grows: `tracing… preparing… compiling… 1.2 s`. For a large
 * network that takes many seconds, in which nothing else is said.
 */
import { performance } from 'node:perf_hooks';
import { durationText } from '@meanflow/runs/command';
import type { Io } from './io.js';

export interface BeginningView {
  /** Says that a phase begins. */
  update(progress: { readonly phase: string }): void;
  /** Ends the line, with the time since its first phase, if there is one. What else is written comes after it. */
  end(): void;
}

export function showBeginning({ err }: Pick<Io, 'err'>): BeginningView {
  let since: number | undefined;
  return {
    update({ phase }) {
      since ??= performance.now();
      err(`${phase}… `);
    },
    end() {
      if (since === undefined) return;
      err(`${durationText((performance.now() - since) / 1000)}\n`);
      since = undefined;
    },
  };
}
