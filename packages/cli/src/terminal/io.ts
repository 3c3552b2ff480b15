/** Where a command writes: results to `out`, everything else (progress, hints, errors) to `err`. Given, so that tests can read it. */
import { createInterface } from 'node:readline/promises';

/** What a command writes to, and whom it asks. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether `err` is a terminal, on which a progress bar can be drawn. */
  readonly isInteractive: boolean;
  /** Asks a question that is answered by yes or no; only where somebody is there to answer. */
  readonly confirm?: (question: string) => Promise<boolean>;
}

async function confirm(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^\s*y(es)?\s*$/i.test(await terminal.question(`${question} [y/N] `));
  } finally {
    terminal.close();
  }
}

/** Writes sentences for the user beside the results, a line each. */
export function noticesTo({ err }: Io): (sentence: string) => void {
  return (sentence) => err(`${sentence}\n`);
}

/** The process's own streams. */
export const processIo: Io = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  isInteractive: process.stderr.isTTY === true,
  ...(process.stdin.isTTY && process.stderr.isTTY ? { confirm } : {}),
};
