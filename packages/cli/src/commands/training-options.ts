/** Options of training that are asked for most, for the commands that train; `--set` has all the others. */
import { precisions } from '@meanflow/core';
import { InvalidArgumentError } from 'commander';
import { type ConfigOption, option } from './config-options.js';
import { names, positive, wholeNumber } from './options.js';

export const learningRateOption = option(
  '--learning-rate <rate>',
  'optimizer.learningRate',
  "in place of the recipe's; with --resume in place of the run's",
  { parse: positive, resumes: true },
);

/** The size of the network, in the fields that its kind has for it. */
export const sizeOptions: readonly ConfigOption[] = [
  option('--width <n>', 'width', 'width of the network', { parse: wholeNumber(1) }),
  option('--depth <n>', 'depth', 'layers of the network', { parse: wholeNumber(1) }),
];

export const averagesOption = option(
  '--average <names>',
  'average',
  'averages of the parameters that are kept, by decay (0.999) or half-life in samples (500000), separated by commas; the first is ' +
    'sampled with, "none": the parameters themselves',
  { parse: averages },
);

export const precisionOption = option(
  '--precision <name>',
  'precision',
  'what products are computed in while training, by default float32; in float16 parameters and averages stay float32, and the loss is ' +
    'scaled. For devices that are faster so; others refuse it',
  { choices: precisions },
);

/** Any field of a configuration, on the command line. What it may be, the schema says, which is not loaded for help. */
export function setOption(help: string): ConfigOption {
  return option('--set <path=value>', undefined, help, {
    parse: (text, before) => [...(Array.isArray(before) ? (before as unknown[]) : []), text],
    resumes: true,
  });
}

function averages(text: string): readonly (number | 'none')[] {
  return names(text).map((name) => {
    const value = Number(name);
    if (name === 'none') return name;
    if (value >= 0 && value < Infinity) return value;
    throw new InvalidArgumentError(
      `Expected decays below 1, half-lives in samples from 1, or none, separated by commas, got ${text}.`,
    );
  });
}
