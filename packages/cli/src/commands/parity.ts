/** `meanflow parity`: a directory of tensors that published code computed, against what this code computes. */
import type { Command } from 'commander';
import type { Context } from './command.js';
import { backendOption, withOptions } from './config-options.js';

export interface ParityOptions {
  readonly backend?: string;
  readonly json?: boolean;
}

export function describeParity(command: Command, { io, exit }: Context): void {
  withOptions(
    command
      .description(
        'Run every case of a directory of parity vectors (<case>.json with <case>.safetensors) and print, for each tensor, the worst ' +
          'error beside the float32 noise that the case states. Ends with status 1 when a tensor is outside its tolerance, a case is ' +
          'unknown or a file is damaged.',
      )
      .argument('<folder>', 'the directory'),
    [backendOption],
  )
    .option('--json', 'the results as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ meanflow parity vectors
  $ meanflow parity vectors --backend reference`,
    )
    .action(async (folder: string, options: ParityOptions) => {
      const { parity } = await import('../actions/parity.js');
      exit(await parity(folder, options, io));
    });
}
