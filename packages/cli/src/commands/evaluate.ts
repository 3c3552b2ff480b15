/** `meanflow evaluate`: how good a trained model's samples are, at several numbers of network evaluations. */
import { Option, type Command } from 'commander';
import type { Context } from './command.js';
import type { ExtractorSettings } from '@meanflow/runs/command';
import { backendOption, withOptions } from './config-options.js';
import { folderOptions, pictureOptions } from './data-options.js';
import { withFeatureOptions } from './feature-options.js';
import {
  averageOption,
  evaluationCounts,
  guidanceInterval,
  type LabelChoice,
  labelChoices,
  names,
  nonNegatives,
  wholeNumber,
} from './options.js';

export interface EvaluateFeaturesOptions extends ExtractorSettings {
  readonly statistics?: string;
  readonly data?: string;
  readonly vae?: string;
  readonly average?: string;
  readonly nfe?: readonly number[];
  readonly samples?: number;
  readonly seed: number;
  readonly metrics?: readonly string[];
  readonly guidance?: readonly number[];
  readonly guidanceInterval?: readonly [number, number];
  readonly backend?: string;
  readonly labels?: LabelChoice;
  readonly json?: boolean;
}

export interface EvaluateOptions
  extends Omit<EvaluateFeaturesOptions, keyof ExtractorSettings>, Partial<ExtractorSettings> {
  readonly classifier?: string;
}

export function describeEvaluate(command: Command, { io }: Context): void {
  command
    .description(
      'Measure the samples of a run or a checkpoint against data that it was not trained on. The last row is the noise floor: what ' +
        'fresh data scores against that data.',
    )
    .argument(
      '<run>',
      'a run folder or a checkpoint (.safetensors); with --features also an imported model, or images (.npz, .npy, a folder)',
    )
    .option('--nfe <list>', 'network evaluations for each sample, such as 1,2,4', evaluationCounts)
    .option('--samples <n>', 'how many samples to draw', wholeNumber(2))
    .option(
      '--metrics <names>',
      'what to measure, in place of the run\'s own choice; "meanflow info" lists them',
      names,
    )
    .option('--json', 'print JSON instead of a table')
    .option('--seed <n>', 'of the noise and of the reference data', wholeNumber(0), 0);
  withOptions(command, [backendOption])
    .optionsGroup('What is sampled, and how:')
    .option(
      '--guidance <scales>',
      'guidance scales such as 1,2,4, where the model was trained for guidance; 1 is none',
      nonNegatives,
    )
    .addOption(guidanceInterval())
    .addOption(averageOption())
    .addOption(
      new Option(
        '--labels <how>',
        'how often samples have each class: as the data has it (the default), or all alike',
      ).choices(labelChoices),
    )
    .option('--vae <file>', 'with --features: decoder of an autoencoder, for models of latents')
    .optionsGroup('What it is judged by:')
    .option(
      '--classifier <file>',
      'what judges images, of "meanflow train-classifier"; by default it is trained once and kept in the cache',
    )
    .option(
      '--features <file>',
      'judge by a feature extractor in an ONNX file instead, such as Inception for FID',
    )
    .option(
      '--statistics <file>',
      'with --features: compare with reference statistics (.npz of mu and sigma)',
    )
    .option(
      '--data <name>',
      "where the run's data are now; with --features: what to compare with, a data set, or a file or folder of images",
    )
    .addHelpText(
      'after',
      `
Examples:
  $ meanflow evaluate runs/8-gaussians-meanflow-seed-0
  $ meanflow evaluate runs/digits/checkpoints/step-00002000.safetensors --nfe 1,2,8 --json
  $ meanflow evaluate runs/shapes --nfe 1 --guidance 1,2,4        # class accuracy at each scale
  $ meanflow evaluate runs/shapes --metrics feature-frechet,class-frechet,precision,recall
  $ meanflow evaluate imf-b.safetensors --vae vae.safetensors --samples 50000 --nfe 1 \\
      --features inception.onnx --features-range signed --statistics imagenet256.npz              # FID-50K`,
    );
  withOptions(withFeatureOptions(command), [...folderOptions, ...pictureOptions]).action(
    async (run: string, options: EvaluateOptions) => {
      const { features } = options;
      if (features === undefined) {
        const { evaluate } = await import('../actions/evaluate.js');
        await evaluate(run, options, io);
      } else {
        const { evaluateFeatures } = await import('../actions/evaluate-features.js');
        await evaluateFeatures(run, { ...options, features }, io);
      }
    },
  );
}
