/** `meanflow train`: one model on one data set, in a run folder from which it can go on. */
import type { Command } from 'commander';
import type { Context } from './command.js';
import { backendOption, type ConfigOption, option, under, withOptions } from './config-options.js';
import { dataOptions, GIVEN, labelOption, taskOptions } from './data-options.js';
import { positive, wholeNumber } from './options.js';
import {
  averagesOption,
  learningRateOption,
  precisionOption,
  setOption,
  sizeOptions,
} from './training-options.js';

/** What the command itself looks at; everything else is a field of the configuration. */
export interface TrainOptions {
  readonly out?: string;
  readonly config?: string;
  readonly set?: readonly string[];
  readonly resume?: string;
  readonly init?: string;
  readonly initAverage?: number | 'none';
}

export const trainOptions: readonly ConfigOption[] = [
  option(
    '--data <name>',
    'data',
    'a data set ("meanflow info" lists them), a CSV file, a folder with a folder of images for each class, files of MNIST or CIFAR, ' +
      'or an array of latents or pictures (.npz, .npy, .pt, .safetensors)',
    { resumes: true },
  ),
  option('--method <name>', 'method', 'what it learns, by default meanflow; "meanflow info" lists them'),
  option('--steps <n>', 'steps', 'how many updates to make', { parse: wholeNumber(1), resumes: true }),
  option('--batch <n>', 'batch', 'rows in a batch', { parse: wholeNumber(1) }),
  learningRateOption,
  ...sizeOptions,
  option('--seed <n>', 'seed', 'decides everything random; the same seed makes the same model', {
    parse: wholeNumber(0),
  }),
  option('--out <folder>', undefined, 'the run folder; by default runs/<data>-<method>-seed-<seed>'),
  option('--resume <run>', undefined, 'go on with the run in this folder', { resumes: true }),
  backendOption,
  ...under('All settings', [
    setOption(
      'any field of config.json, before all else, such as network.heads=8, optimizer.schedule=linear or sampling.nfe[0]=2; "meanflow ' +
        'info --fields" lists them',
    ),
    option('--config <file>', undefined, 'JSON with any of the fields of config.json; options go before it'),
    option(
      '--recipe <name>',
      'recipe',
      'network, objective and optimizer as published, such as imf-dit-b-2; "meanflow info" lists them',
    ),
  ]),
  ...under('Training', [
    averagesOption,
    option('--epochs <n>', 'epochs', 'how many passes over the data to make', { parse: wholeNumber(1) }),
    option(
      '--accumulate <n>',
      'accumulate',
      'take each batch in n parts, one after the other, in the memory of one: the same updates, to rounding',
      { parse: wholeNumber(1), resumes: true },
    ),
    precisionOption,
    option(
      '--memory <size>',
      'memory',
      'what a step may take, such as 4GB: where it would take more, blocks of the network are computed again in the backward pass',
      { resumes: true },
    ),
    option(
      '--on-divergence <what>',
      'onDivergence',
      'where a step is not finite or the error runs away: stop with the state before it (the default), skip the step, or go back to ' +
        'the last checkpoint with half the learning rate',
      { choices: ['stop', 'skip', 'back'], resumes: true },
    ),
    option(
      '--init <model>',
      'init.path',
      'begin a new run with the parameters of a run, a checkpoint or an imported model (.safetensors): of the same kind of network, ' +
        'whose settings, and whose data, it has unless others are given',
    ),
    option(
      '--init-average <name>',
      'init.average',
      'with --init: which average of the run, by its decay or half-life, or "none"; by default the one that it is sampled with',
      {
        parse: (text) => (text === 'none' ? text : positive(text)),
        value: (name) => (name === 'none' ? null : name),
      },
    ),
  ]),
  ...under(GIVEN, [
    labelOption,
    option(
      '--unconditional',
      'conditional',
      'do not tell the network the class; a folder of images then needs no classes',
      { value: () => false },
    ),
  ]),
  ...taskOptions,
  ...dataOptions,
];

export function describeTrain(command: Command, { io, exit }: Context): void {
  command
    .description(
      'Train one model on one data set. The run gets a folder of its own, with its configuration (config.json), its metrics ' +
        '(metrics.jsonl) and its checkpoints. Ctrl-C, SIGTERM and SIGHUP stop it with a checkpoint (exit status 130, 143, 129); ' +
        '--resume goes on as if it had never stopped.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ meanflow train                                          # MeanFlow on 8-gaussians
  $ meanflow train --data digits --method improved-meanflow --seed 1
  $ meanflow train --data points.csv --label class --steps 5000 --out runs/points
  $ meanflow train --data wine --given alcohol,proline      # the other columns for what these are
  $ meanflow train --data digits --task inpaint             # the hidden part of an image for the rest of it
  $ meanflow train --data photos --image-size 32 --flip     # photos/cat/1.jpg, photos/dog/1.png, ...
  $ meanflow train --data cifar-10-batches-bin --recipe song-unet-cifar10-v1
  $ meanflow train --data latents.npz --recipe imf-dit-b-2 --batch 32
  $ meanflow train --resume runs/points --steps 10000       # go on, further than planned
  $ meanflow train --init runs/digits-flow-matching-seed-0 --method meanflow

  $ meanflow train --data digits --width 256 --average 0.999 --set optimizer.weightDecay=0.01

All settings of a run, to be changed and given to --config, or one by one to --set:
  $ meanflow info --recipe digits --method meanflow > config.json
  $ meanflow info --recipe imf-dit-b-2                      # a published recipe, with the source of each value`,
    );
  withOptions(command, trainOptions).action(async (options: TrainOptions) => {
    const { train } = await import('../actions/train.js');
    exit(await train(options, io));
  });
}
