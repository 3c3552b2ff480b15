/** `meanflow statistics`: mean and covariance of the features of images, in the file that FID takes its reference from. */
import { ArgumentError } from '@meanflow/core';
import { describeData } from '@meanflow/data';
import { encodeStatistics } from '@meanflow/metrics';
import {
  checkOverwrite,
  countText,
  openExtractor,
  openJudged,
  statisticsOfTraining,
  writeOutput,
} from '@meanflow/runs/command';
import { damagedText } from '../terminal/damaged.js';
import type { Io } from '../terminal/io.js';
import { dataSettings } from '../commands/data-options.js';
import type { StatisticsOptions } from '../commands/statistics.js';

/** Images of data that never end, where no number is given: as many as FID takes. */
const FRESH = 50_000;

export async function statistics(data: string, options: StatisticsOptions, io: Io): Promise<void> {
  const { out, count, heldOut, splitSeed } = options;
  await checkOverwrite([out], { confirm: io.confirm, force: options.force });
  const { images, latents } = dataSettings(options);
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
