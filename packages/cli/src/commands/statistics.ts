/** `meanflow statistics`: mean and covariance of the features of images, in the file that FID takes its reference from. */
import type { Command } from 'commander';
import type { Context } from './command.js';
import type { ExtractorSettings } from '@meanflow/runs/command';
import { withOptions } from './config-options.js';
import { folderOptions, pictureOptions } from './data-options.js';
import { withFeatureOptions } from './feature-options.js';
import { forceOption, shareOrNone, wholeNumber } from './options.js';

export interface StatisticsOptions extends ExtractorSettings {
  readonly out: string;
  readonly force?: boolean;
  readonly count?: number;
  readonly heldOut: number;
  readonly splitSeed: number;
}

export function describeStatistics(command: Command, { io }: Context): void {
  command
    .description(
      'Run the training images of a data set through a feature extractor and write the mean and the covariance of the features ' +
        'as an npz file (mu, sigma), as the published codes read them.',
    )
    .argument('<data>', 'a data set ("meanflow info" lists them), or a folder, a file or an array of images')
    .requiredOption('--features <file>', 'the extractor, an ONNX file')
    .option('--out <file>', 'where to', 'statistics.npz')
    .addOption(forceOption())
    .option(
      '--count <n>',
      'how many images; all of them by default, 50,000 where they never end',
      wholeNumber(2),
    )
    .option(
      '--held-out <share>',
      'share of the images held out, where they are a finite set; 0: none',
      shareOrNone,
      0.2,
    )
    .option('--split-seed <n>', 'chooses the images that are held out', wholeNumber(0), 0);
  withFeatureOptions(withOptions(command, [...folderOptions, ...pictureOptions]))
    .addHelpText(
      'after',
      `
Examples:
  $ meanflow statistics photos --features inception.onnx --features-range signed --out photos.npz
  $ meanflow evaluate runs/photos --features inception.onnx --features-range signed --statistics photos.npz`,
    )
    .action(async (data: string, options: StatisticsOptions) => {
      const { statistics } = await import('../actions/statistics.js');
      await statistics(data, options, io);
    });
}
