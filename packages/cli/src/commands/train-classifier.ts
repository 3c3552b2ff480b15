/** `meanflow train-classifier`: the classifier that images are judged by, in a file. */
import type { Command } from 'commander';
import type { Context } from './command.js';
import { backendOption, withOptions } from './config-options.js';
import { folderOptions, pictureOptions } from './data-options.js';
import { share, wholeNumber } from './options.js';

export interface TrainClassifierOptions {
  readonly data: string;
  readonly out: string;
  readonly steps?: number;
  readonly batch?: number;
  readonly seed?: number;
  readonly heldOut: number;
  readonly splitSeed: number;
  readonly backend?: string;
}

export function describeTrainClassifier(command: Command, { io, exit }: Context): void {
  command
    .description(
      'Train a small classifier on images with classes, for "meanflow evaluate --classifier". Its accuracy on images that were ' +
        'held out is printed and kept in the file. Without this command, "evaluate" and "compare" train it when they need it.',
    )
    .requiredOption(
      '--data <name>',
      'a data set ("meanflow info" lists them), or a folder, a file or an array of images',
    )
    .option('--out <file>', 'where to', 'classifier.safetensors')
    .option('--steps <n>', 'how many updates to make; 600 by default', wholeNumber(1))
    .option('--batch <n>', 'images in a batch; 128 by default', wholeNumber(1))
    .option(
      '--seed <n>',
      'decides everything random; the same seed makes the same classifier',
      wholeNumber(0),
    )
    .option('--held-out <share>', 'share of the images held out, where they are a finite set', share, 0.2)
    .option('--split-seed <n>', 'chooses the images that are held out', wholeNumber(0), 0)
    .addHelpText(
      'after',
      `
Examples:
  $ meanflow train-classifier --data shapes --out shapes-classifier.safetensors
  $ meanflow evaluate runs/shapes --classifier shapes-classifier.safetensors --metrics class-accuracy,feature-frechet`,
    );
  withOptions(command, [backendOption, ...folderOptions, ...pictureOptions]).action(
    async (options: TrainClassifierOptions) => {
      const { trainClassifier } = await import('../actions/train-classifier.js');
      exit(await trainClassifier(options, io));
    },
  );
}
