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

/**
 * Lets what is written to a stream that nobody reads any more go nowhere: a pipe into `head`, a terminal or an ssh session that was
 * closed. A run that trains for days does not end because of it.
 */
export function outliveReaders(...streams: readonly NodeJS.WriteStream[]): void {
  for (const stream of streams) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (!GONE.has(error.code ?? '')) throw error;
    });
  }
}

/** How a stream says that nobody reads it: EIO is a terminal's way. */
const GONE = new Set(['EPIPE', 'EIO', 'ECONNRESET', 'ERR_STREAM_DESTROYED']);

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
