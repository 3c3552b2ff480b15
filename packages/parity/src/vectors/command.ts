/** The command `meanflow parity`, but for its options and where its output goes. */
import type { Backend } from '@meanflow/core';
import { runParity } from './directory.js';
import type { ParityResult } from './parity-case.js';
import { parityText } from './text.js';

/** What came of it. */
export interface ParityCommandOutcome {
  readonly results: readonly ParityResult[];
  readonly output: string;
  /** 0 when every case passed; 1 when one failed, is unknown or damaged. */
  readonly exitCode: 0 | 1;
}

/**
 * Runs every case of a directory and writes the errors beside the stated floors.
 *
 * @throws {DataError} when the directory cannot be read or holds no case
 */
export async function parityCommand(
  directory: string,
  backend: Backend,
  options: { readonly format?: 'text' | 'json' } = {},
): Promise<ParityCommandOutcome> {
  const results = await runParity(directory, backend);
  const good = results.every(({ outcome }) => outcome === 'passed');
  const json = () =>
    JSON.stringify(results, (_, value: unknown) => (value === Infinity ? 'Infinity' : value), 2);
  const output = options.format === 'json' ? json() : parityText(results);
  return { results, output, exitCode: good ? 0 : 1 };
}
