/** `meanflow train-classifier`: the classifier that images are judged by, in a file. */
import { classifierRequest } from '@meanflow/classifier';
import { describeData } from '@meanflow/data';
import type { Command } from 'commander';
import {
  accuracyText,
  classifierIn,
  DEFAULT_BACKEND,
  digestOf,
  findBackend,
  openJudged,
} from '@meanflow/runs/node';
import { showClassifierProgress } from '../terminal/classifier-progress.js';
import { interruptStatus, withInterrupt } from '../terminal/interrupt.js';
import type { Io } from '../terminal/io.js';
import type { SetExitCode } from './command.js';
import {
  imageSettings,
  latentSettings,
  share,
  withBackend,
  withFolders,
  withPictures,
  wholeNumber,
  type FolderOptions,
  type PictureReading,
} from './options.js';

interface TrainClassifierOptions extends FolderOptions, PictureReading {
  readonly data: string;
  readonly out: string;
  readonly steps?: number;
  readonly batch?: number;
  readonly seed?: number;
  readonly heldOut: number;
  readonly splitSeed: number;
  readonly backend?: string;
}

export function addTrainClassifier(program: Command, io: Io, exit: SetExitCode): void {
  const command = program
    .command('train-classifier')
    .summary('train the classifier that judges images')
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
  withBackend(withPictures(withFolders(command))).action(async (options: TrainClassifierOptions) => {
    const status = await trainClassifier(options, io);
    if (status !== 0) exit(status);
  });
}

/** @returns the exit status */
async function trainClassifier(options: TrainClassifierOptions, io: Io): Promise<number> {
  const { data, out, steps, batch, seed, heldOut, splitSeed } = options;
  const [images, latents] = [imageSettings(options), latentSettings(options)];
  const dataset = await openJudged({ data, images, latents, heldOut, splitSeed }, { needsClasses: true });
  io.err(`${describeData(dataset)}\n`);
  classifierRequest({ data: dataset });
  const digest = await digestOf(data, images);
  const backend = await findBackend(options.backend ?? DEFAULT_BACKEND).open();
  try {
    const settings = { steps, batch, seed };
    return await withInterrupt(async (signal) => {
      const progress = showClassifierProgress(dataset.name, io, signal);
      const work = { ...progress, backend, signal };
      const made = await classifierIn(out, { dataset, digest, settings }, work).finally(progress.stop);
      if (made === undefined) {
        io.err('Stopped. Nothing was written.\n');
        return interruptStatus(signal);
      }
      io.out(`${accuracyText(made.model)}: ${out}\n`);
      return 0;
    });
  } finally {
    await backend.dispose();
  }
}
