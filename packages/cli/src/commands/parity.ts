/** `meanflow parity`: a directory of tensors that published code computed, against what this code computes. */
import { parityCommand } from '@meanflow/conformance/node';
import type { Command } from 'commander';
import { DEFAULT_BACKEND, findBackend } from '@meanflow/runs/node';
import type { Io } from '../terminal/io.js';
import type { SetExitCode } from './command.js';
import { withBackend } from './options.js';

export function addParity(program: Command, io: Io, exit: SetExitCode): void {
  withBackend(
    program
      .command('parity')
      .summary('compare with tensors that published code computed')
      .description(
        'Run every case of a directory of parity vectors (<case>.json with <case>.safetensors) and print, for each tensor, the worst ' +
          'error beside the float32 noise that the case states. Ends with status 1 when a tensor is outside its tolerance, a case is ' +
          'unknown or a file is damaged.',
      )
      .argument('<folder>', 'the directory'),
  )
    .option('--json', 'the results as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ meanflow parity vectors
  $ meanflow parity vectors --backend reference`,
    )
    .action(async (folder: string, options: { readonly backend?: string; readonly json?: boolean }) => {
      const backend = await findBackend(options.backend ?? DEFAULT_BACKEND).open();
      try {
        const format = options.json ? 'json' : 'text';
        const { output, exitCode } = await parityCommand(folder, backend, { format });
        io.out(output.endsWith('\n') ? output : `${output}\n`);
        if (exitCode !== 0) exit(exitCode);
      } finally {
        await backend.dispose();
      }
    });
}
