/** `meanflow info`: what a run or checkpoint is; or what there is to choose from; or all settings of a recipe. */
import type { Command } from 'commander';
import type { Context } from './command.js';
import { withOptions } from './config-options.js';
import { dataOptions } from './data-options.js';

export interface InfoOptions {
  readonly data?: string;
  readonly recipe?: string;
  readonly label?: string;
  readonly method?: string;
  readonly fields?: string | true;
  readonly json?: boolean;
}

export function describeInfo(command: Command, { io }: Context): void {
  command
    .description(
      'Describe a run or a checkpoint: its network, how it was trained, how far it is. Without one, list the data sets, methods and ' +
        'backends. With --data, say how data are understood. With --recipe, print all settings that a data set is trained with, to be changed and given to --config.',
    )
    .argument('[run]', 'a run folder, a checkpoint or an imported model (.safetensors)')
    .option('--recipe <name>', 'print the settings for this data set or path, or a published recipe')
    .option(
      '--data <name>',
      'say what is understood of this data set or path, before anything is trained on it',
    )
    .option('--label <column>', 'with --recipe or --data: the column of a CSV file that holds the class')
    .option('--method <name>', 'with --recipe: of this method only, as "meanflow train --config" takes them')
    .option(
      '--fields [path]',
      'list the fields of a configuration, or those within one such as network: what --config and --set take',
    )
    .option('--json', 'of a run: print its whole configuration as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ meanflow info
  $ meanflow info runs/8-gaussians-meanflow-seed-0
  $ meanflow info --recipe digits --method meanflow > config.json
  $ meanflow info --fields optimizer                      # what --set may name there
  $ meanflow info --data points.csv --label class         # rows, columns, classes, and how the file is read
  $ meanflow info --recipe points.csv --label class`,
    );
  withOptions(command, dataOptions).action(async (run: string | undefined, options: InfoOptions) => {
    const { info } = await import('../actions/info.js');
    await info(run, options, io);
  });
}
