/** `meanflow sample`: samples of a trained model in the units of its data, as numbers or as a picture. */
import { precisions, type Precision } from '@meanflow/core';
import { Option, type Command } from 'commander';
import type { Context } from './command.js';
import { backendOption, withOptions } from './config-options.js';
import {
  averageOption,
  evaluations,
  forceOption,
  type Grid,
  grid,
  type LabelChoice,
  labelChoices,
  names,
  wholeNumber,
  withGuidanceOptions,
} from './options.js';

export interface SampleOptions {
  readonly nfe?: number;
  readonly count?: number;
  readonly class?: readonly string[];
  readonly labels?: LabelChoice;
  readonly given?: readonly string[];
  readonly delimiter?: string;
  readonly seed: number;
  readonly grid?: Grid | true;
  readonly solver?: string;
  readonly guidance?: number;
  readonly guidanceInterval?: readonly [number, number];
  readonly vae?: string;
  readonly average?: string;
  readonly force?: boolean;
  readonly batch?: number;
  readonly precision?: Precision;
  readonly out?: string;
  readonly backend?: string;
}

export function describeSample(command: Command, { io }: Context): void {
  command
    .description(
      'Draw samples from a run, a checkpoint or an imported model. They come in the units of the data that it was trained on, with ' +
        'the class that was asked for. The format follows from the ending of --out: .csv, .json, .npz, .npy, .png or .svg; ' +
        'a folder gets a PNG file for each image.',
    )
    .argument('<run>', 'a run folder, a checkpoint or an imported model (.safetensors)')
    .option(
      '--nfe <n>',
      'network evaluations for each sample; by default the fewest that it was made for',
      evaluations,
    )
    .option(
      '--count <n>',
      'how many samples; 1,000, or 100 where they are images, or 16 of a published model',
      wholeNumber(1),
    )
    .option('--out <file>', 'where to; "-" prints CSV. By default samples.csv, or samples.png for images')
    .option(
      '--grid [size]',
      'a grid of images such as 8x8 (rows x columns); ten of each class by default',
      grid,
    )
    .option('--seed <n>', 'of the noise', wholeNumber(0), 0)
    .addOption(forceOption());
  withOptions(command, [backendOption])
    .optionsGroup('What is sampled:')
    .option(
      '--class <names>',
      'only these classes, by name (by number where they have no names), which take turns; all of them by default',
      names,
    )
    .addOption(
      new Option(
        '--labels <how>',
        'how often samples have each class: all alike (the default), or as the data has it',
      ).choices(labelChoices),
    )
    .option(
      '--given <values>',
      'the columns that the model is given, in the units of the data, such as alcohol=13.2,proline=900; or held-out: what the rows ' +
        'were given that it was not trained on',
      names,
    );
  withGuidanceOptions(command.optionsGroup('How it is sampled:'))
    .addOption(averageOption())
    .option(
      '--solver <name>',
      'how the path is followed: "meanflow info" lists the solvers; by default the one of the method',
    )
    .option('--vae <file>', 'decoder of an autoencoder, from "meanflow import": makes images of latents')
    .option('--batch <n>', 'samples that are computed at once, which decides the memory', wholeNumber(1))
    .addOption(
      new Option(
        '--precision <name>',
        'what products are computed in, by default float32; in float16 parameters are given to the device as float16. An autoencoder stays float32',
      ).choices(precisions),
    )
    .option(
      '--delimiter <sign>',
      'what separates the cells of CSV: a character, or comma, semicolon, tab, space, bar',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ meanflow sample runs/8-gaussians-meanflow-seed-0                    # one step, 1,000 points
  $ meanflow sample runs/digits --nfe 2 --class 7 --count 20 --out sevens.png
  $ meanflow sample runs/digits --grid --out digits.png                 # ten of each
  $ meanflow sample runs/shapes --grid 8x8 --class star,ring --nfe 1
  $ meanflow sample runs/shapes --count 5000 --out samples/             # or samples.npz: for tools that compute FID
  $ meanflow sample runs/points --count 50 --out - | head
  $ meanflow sample runs/wine --given alcohol=13.2,proline=900          # trained with --given alcohol,proline
  $ meanflow sample runs/inpainting --given held-out --grid 8x8         # images, completed
  $ meanflow sample imf-b.safetensors --vae vae.safetensors --grid 4x4 --class 207 --nfe 1`,
    )
    .action(async (run: string, options: SampleOptions) => {
      const { sample } = await import('../actions/sample.js');
      await sample(run, options, io);
    });
}
