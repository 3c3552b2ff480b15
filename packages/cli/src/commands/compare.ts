/** `meanflow compare`: every method side by side, tables in the terminal, and a report to look at. */
import type { Command } from 'commander';
import type { Context } from './command.js';
import { defaultDatasets } from '@meanflow/runs/names';
import { backendOption, type ConfigOption, option, under, withOptions } from './config-options.js';
import { dataOptions, labelOption, taskOptions } from './data-options.js';
import { names, wholeNumber, wholeNumbers } from './options.js';
import {
  averagesOption,
  learningRateOption,
  precisionOption,
  setOption,
  sizeOptions,
} from './training-options.js';

/** What the command itself looks at; everything else is a field of the comparison, or of each of its runs. */
export interface CompareOptions {
  readonly jobs?: number;
  readonly config?: string;
  readonly set?: readonly string[];
  readonly out?: string;
  readonly resume?: string;
  readonly backend?: string;
}

/** Fields of the file that `--config` takes. */
export const comparisonOptions: readonly ConfigOption[] = [
  option(
    '--data <names>',
    'data',
    `data sets, CSV files or images by path, by default ${defaultDatasets.join(',')}`,
    { parse: names },
  ),
  option(
    '--method <names>',
    'methods',
    'methods by name, separated by commas; by default all that "meanflow info" lists',
    { parse: names },
  ),
  option('--seeds <list>', 'seeds', 'such as 0,1,2: each run at each seed, medians in the tables', {
    parse: wholeNumbers(0),
  }),
  option('--seed <n>', 'seeds', 'a single seed; 0 by default', { parse: (text) => [wholeNumber(0)(text)] }),
];

/** Fields of each of the runs. */
export const changeOptions: readonly ConfigOption[] = [
  option('--steps <n>', 'steps', 'updates, the same for all; by default each data set has its own', {
    parse: wholeNumber(1),
  }),
  option('--batch <n>', 'batch', 'rows in a batch, the same for all', { parse: wholeNumber(1) }),
  learningRateOption,
  ...sizeOptions,
  option(
    '--metrics <names>',
    'evaluation.metrics',
    'what samples are measured by, in place of the recipes\' choice; "meanflow info" lists them',
    { parse: names },
  ),
];
/** What stands under a heading of the help. */
export const moreChangeOptions = under('Training', [averagesOption, precisionOption]);

const settingsOptions: readonly ConfigOption[] = [
  setOption(
    'any field of a run, of all of them, or of those on one data set (digits:steps=3000), by one method (meanflow:objective.weight.power=1) ' +
      'or both (digits:meanflow:network.depth=4); "meanflow info --fields" lists them',
  ),
  option(
    '--config <file>',
    undefined,
    'JSON with data, methods, seeds, backend, and changes to "recipes" by data set; options go before it',
  ),
];

export function describeCompare(command: Command, { io, exit }: Context): void {
  withOptions(command, [...comparisonOptions, ...changeOptions])
    .description(
      'Train flow matching, MeanFlow and improved MeanFlow on the same data with the same network, steps and batches; measure their ' +
        'samples at few and at many network evaluations; write a report (one HTML page), pictures and the numbers.',
    )
    .option('--out <folder>', 'an empty or new folder; by default runs/compare-<date>-<time>')
    .option(
      '--resume <folder>',
      'go on with the comparison in this folder; what is finished is not trained again',
    )
    .option(
      '--jobs <n>',
      'runs at a time, each with its share of the cores; one for each core by default',
      wholeNumber(1),
    );
  withOptions(command, [
    backendOption,
    ...under('All settings', settingsOptions),
    ...moreChangeOptions,
  ]).addHelpText(
    'after',
    `
Examples:
  $ meanflow compare                                        # all methods, on points and on digits
  $ meanflow compare --data two-moons --seeds 0,1,2
  $ meanflow compare --data points.csv --label class --method meanflow,flow-matching
  $ meanflow compare --data wine --given alcohol,proline    # what is not given, for what is
  $ meanflow compare --steps 200 --out runs/quick           # a quick look
  $ meanflow compare --data digits --width 64 --set optimizer.weightDecay=0.01
  $ meanflow compare --resume runs/quick                    # after Ctrl-C

A configuration file that changes a recipe:
  { "data": ["digits"], "recipes": { "digits": { "steps": 8000, "network": { "width": 384 } } } }`,
  );
  withOptions(command, [labelOption, ...taskOptions, ...dataOptions]).action(
    async (options: CompareOptions) => {
      const { compare } = await import('../actions/compare.js');
      exit(await compare(options, io));
    },
  );
}
