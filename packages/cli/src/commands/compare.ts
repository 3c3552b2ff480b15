/** `meanflow compare`: every method side by side, tables in the terminal, and a report to look at. */
import type { Command } from 'commander';
import type { Context } from './command.js';
import { defaultDatasets } from '@meanflow/runs/names';
import {
  type ArrayReading,
  type ImageOptions,
  names,
  type TableOptions,
  wholeNumber,
  wholeNumbers,
  withArrays,
  withBackend,
  withImages,
  withTable,
} from './options.js';
import { type TaskOptions, withTasks } from './task-options.js';

export interface CompareOptions extends ImageOptions, TableOptions, ArrayReading, TaskOptions {
  readonly data?: readonly string[];
  readonly label?: string;
  readonly method?: readonly string[];
  readonly seeds?: readonly number[];
  readonly seed?: number;
  readonly steps?: number;
  readonly batch?: number;
  readonly backend?: string;
  readonly jobs?: number;
  readonly config?: string;
  readonly out?: string;
  readonly resume?: string;
  readonly metrics?: readonly string[];
}

export function describeCompare(command: Command, { io, exit }: Context): void {
  command
    .description(
      'Train flow matching, MeanFlow and improved MeanFlow on the same data with the same network, steps and batches; measure their ' +
        'samples at few and at many network evaluations; write a report (one HTML page), pictures and the numbers.',
    )
    .option(
      '--data <names>',
      `data sets, CSV files or images by path, by default ${defaultDatasets.join(',')}`,
      names,
    )
    .option('--label <column>', 'the column of CSV files that holds the class')
    .option(
      '--method <names>',
      'methods by name, separated by commas; by default all that "meanflow info" lists',
      names,
    )
    .option('--seeds <list>', 'such as 0,1,2: each run at each seed, medians in the tables', wholeNumbers(0))
    .option('--seed <n>', 'a single seed; 0 by default', wholeNumber(0))
    .option('--steps <n>', 'updates, the same for all; by default each data set has its own', wholeNumber(1))
    .option('--batch <n>', 'rows in a batch, the same for all', wholeNumber(1))
    .option(
      '--metrics <names>',
      'what samples are measured by, in place of the recipes\' choice; "meanflow info" lists them',
      names,
    )
    .option(
      '--jobs <n>',
      'runs at a time, each with its share of the cores; one for each core by default',
      wholeNumber(1),
    )
    .option(
      '--config <file>',
      'JSON with data, methods, seeds, backend, and changes to "recipes" by data set',
    )
    .option('--out <folder>', 'an empty or new folder; by default runs/compare-<date>-<time>')
    .option(
      '--resume <folder>',
      'go on with the comparison in this folder; what is finished is not trained again',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ meanflow compare                                        # what "npm start" does
  $ meanflow compare --data two-moons --seeds 0,1,2
  $ meanflow compare --data points.csv --label class --method meanflow,flow-matching
  $ meanflow compare --data wine --given alcohol,proline    # what is not given, for what is
  $ meanflow compare --steps 200 --out runs/quick           # a quick look
  $ meanflow compare --resume runs/quick                    # after Ctrl-C

A configuration file that changes a recipe:
  { "data": ["digits"], "recipes": { "digits": { "steps": 8000, "network": { "width": 384 } } } }`,
    );
  withBackend(withArrays(withImages(withTable(withTasks(command))))).action(
    async (options: CompareOptions) => {
      const { compare } = await import('../actions/compare.js');
      exit(await compare(options, io));
    },
  );
}
