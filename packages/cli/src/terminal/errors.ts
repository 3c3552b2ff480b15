/** Errors in words: ours as they are, anything else as the bug that it is, with its stack where MEANFLOW_DEBUG=1 asks for it. */
import { MeanflowError } from '@meanflow/core';

/** What is said of an error, without a line break at the end. */
export function errorText(error: unknown): string {
  if (process.env.MEANFLOW_DEBUG === '1' && error instanceof Error) return error.stack ?? error.message;
  if (error instanceof MeanflowError) return `error: ${error.message}`;
  return `error: ${String(error)}\nThis is a bug in meanflow; MEANFLOW_DEBUG=1 shows where.`;
}
