/** `meanflow train-classifier`: the classifier that images are judged by, in a file. */
import { classifierRequest } from '@meanflow/classifier';
import { describeData } from '@meanflow/data';
import { openBackend } from '@meanflow/runs/node';
import { accuracyText, classifierIn, digestOf, openJudged } from '@meanflow/runs/command';
import { showClassifierProgress } from '../terminal/classifier-progress.js';
import { interruptStatus, withInterrupt } from '../terminal/interrupt.js';
import type { Io } from '../terminal/io.js';
import { dataSettings } from '../commands/data-options.js';
import type { TrainClassifierOptions } from '../commands/train-classifier.js';

/** @returns the exit status */
export async function trainClassifier(options: TrainClassifierOptions, io: Io): Promise<number> {
  const { data, out, steps, batch, seed, heldOut, splitSeed } = options;
  const { images, latents } = dataSettings(options);
  const dataset = await openJudged({ data, images, latents, heldOut, splitSeed }, { needsClasses: true });
  io.err(`${describeData(dataset)}\n`);
  classifierRequest({ data: dataset });
  const digest = await digestOf(data, images);
  const backend = await openBackend(options.backend);
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
