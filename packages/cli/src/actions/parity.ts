/** `meanflow parity`: a directory of tensors that published code computed, against what this code computes. */
import { parityCommand } from '@meanflow/parity/node';
import { openBackend } from '@meanflow/runs/node';
import type { Io } from '../terminal/io.js';
import type { ParityOptions } from '../commands/parity.js';

/** @returns the exit status */
export async function parity(folder: string, options: ParityOptions, io: Io): Promise<number> {
  const backend = await openBackend(options.backend);
  try {
    const format = options.json ? 'json' : 'text';
    const { output, exitCode } = await parityCommand(folder, backend, { format });
    io.out(output.endsWith('\n') ? output : `${output}\n`);
    return exitCode;
  } finally {
    await backend.dispose();
  }
}
