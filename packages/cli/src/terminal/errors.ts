/** Errors in words: ours as they are, anything else as the bug that it is, with its stack where MEANFLOW_DEBUG=1 asks for it. */
import { MeanflowError } from '@meanflow/core';
import { printable } from '@meanflow/core/validation';

/** What engines say when memory cannot be had: arrays beyond what they can index, or beyond what there is. */
const NO_MEMORY =
  /array length|array buffer|allocation failed|out of memory|bad_alloc|invalid string length|maximum size exceeded/i;

/** What is said of an error, without a line break at the end. */
export function errorText(error: unknown): string {
  if (process.env.MEANFLOW_DEBUG === '1' && error instanceof Error) return error.stack ?? error.message;
  if (error instanceof MeanflowError) return `error: ${error.message}`;
  const text = printable(String(error), 2000);
  if (NO_MEMORY.test(text)) {
    return (
      `error: this takes more memory than there is, or than an array can have (${text}). Make what was asked for smaller: the batch, ` +
      'the network, the number of samples or the size of images. MEANFLOW_DEBUG=1 shows where.'
    );
  }
  return `error: ${text}\nThis is a bug in meanflow; MEANFLOW_DEBUG=1 shows where.`;
}
