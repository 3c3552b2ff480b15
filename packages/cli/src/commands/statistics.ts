/** `meanflow statistics`: mean and covariance of the features of images, in the file that FID takes its reference from. */
import { ArgumentError } from '@meanflow/core';
import { describeData } from '@meanflow/data';
import { encodeStatistics } from '@meanflow/metrics';
import type { Command } from 'commander';
import {
  checkOverwrite,
  countText,
  type ExtractorSettings,
  openExtractor,
  openJudged,
  statisticsOfTraining,
  writeOutput,
} from '@meanflow/runs/node';
import { damagedText } from '../terminal/damaged.js';
import type { Io } from '../terminal/io.js';
import { withFeatureOptions } from './feature-options.js';
import {
  forceOption,
  imageSettings,
  latentSettings,
  shareOrNone,
  wholeNumber,
  withFolders,
  withPictures,
  type FolderOptions,
  type PictureReading,
} from './options.js';

interface StatisticsOptions extends ExtractorSettings, FolderOptions, PictureReading {
  readonly out: string;
  readonly force?: boolean;
  readonly count?: number;
  readonly heldOut: number;
  readonly splitSeed: number;
}

/** Images of data that never end, where no number is given: as many as FID takes. */
const FRESH = 50_000;

export function addStatistics(program: Command, io: Io): void {
  const command = program
    .command('statistics')
    .summary('write the reference statistics that FID compares with')
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
  withFeatureOptions(withPictures(withFolders(command)))
    .addHelpText(
      'after',
      `
Examples:
  $ meanflow statistics photos --features inception.onnx --features-range signed --out photos.npz
  $ meanflow evaluate runs/photos --features inception.onnx --features-range signed --statistics photos.npz`,
    )
    .action((data: string, options: StatisticsOptions) => statistics(data, options, io));
}

async function statistics(data: string, options: StatisticsOptions, io: Io): Promise<void> {
  const { out, count, heldOut, splitSeed } = options;
  await checkOverwrite([out], { confirm: io.confirm, force: options.force });
  const [images, latents] = [imageSettings(options), latentSettings(options)];
  const dataset = await openJudged({ data, images, latents, heldOut, splitSeed });
  io.err(`${describeData(dataset)}\n`);
  const rows = dataset.sizes?.train;
  if (rows !== undefined && count !== undefined && count > rows) {
    throw new ArgumentError(
      `"${dataset.name}" has ${countText(rows)} training images, fewer than --count ${count}.`,
    );
  }
  const most = count ?? rows ?? FRESH;
  const extractor = await openExtractor(options, dataset);
  try {
    const found = await statisticsOfTraining(extractor, dataset, most);
    await writeOutput(out, encodeStatistics(found));
    io.err(damagedText(dataset));
    io.err(`${countText(most)} images of ${dataset.name}, ${countText(found.mean.size)} features: ${out}\n`);
  } finally {
    await extractor.dispose();
  }
}
