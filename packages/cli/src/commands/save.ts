/** `meanflow save`: the model of a run alone, without what training goes on from. */
import type { Command } from 'commander';
import type { Context } from './command.js';
import { averageOption, forceOption } from './options.js';

export interface SaveOptions {
  readonly average?: string;
  readonly out: string;
  readonly force?: boolean;
}

export function describeSave(command: Command, { io }: Context): void {
  command
    .description(
      'Write the model of a run or a checkpoint alone: one set of parameters, the configuration and the facts of its data, in a quarter ' +
        'or less of what a checkpoint takes. "sample", "evaluate", "export" and "info" take it as they take the run; it is nothing to go on ' +
        'training from.',
    )
    .argument('<run>', 'a run folder or a checkpoint (.safetensors)')
    .option('--out <file>', 'where to', 'model.safetensors')
    .addOption(averageOption())
    .addOption(forceOption())
    .addHelpText(
      'after',
      `
Examples:
  $ meanflow save runs/digits --out digits.safetensors
  $ meanflow sample digits.safetensors --grid --out digits.png`,
    )
    .action(async (run: string, options: SaveOptions) => {
      const { save } = await import('../actions/save.js');
      await save(run, options, io);
    });
}
