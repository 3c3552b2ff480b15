/** `meanflow export`: a model's whole sampler as one ONNX file, or as a model repository of the Triton Inference Server. */
import { Option, type Command } from 'commander';
import type { Context } from './command.js';
import { averageOption, evaluations, forceOption, wholeNumber, withGuidanceOptions } from './options.js';

export interface ExportOptions {
  readonly nfe?: number;
  readonly batch: number;
  readonly solver?: string;
  readonly guidance?: number;
  readonly guidanceInterval?: readonly [number, number];
  readonly guidanceInputs?: boolean;
  readonly normalised?: boolean;
  readonly vae?: string;
  readonly average?: string;
  readonly force?: boolean;
  readonly dtype: 'float32' | 'float16';
  readonly out?: string;
  readonly triton?: string;
  readonly name?: string;
}

export function describeExport(command: Command, { io }: Context): void {
  command
    .description(
      'Write the whole sampler of a model as an ONNX file that runs in any ONNX Runtime from version 1.18 on: inputs "noise" ' +
        '(standard normal numbers) and, where the model knows classes, "label" (from 0; the sample of one that is no class is ' +
        'NaN); output "samples", in the units of the data. Parameters of more than 1 GiB lie in a second file beside it.',
    )
    .argument('<model>', 'a run folder, a checkpoint or an imported model (.safetensors)')
    .option(
      '--nfe <n>',
      'network evaluations for each sample; by default the fewest that it was made for',
      evaluations,
    )
    .option('--batch <n>', 'samples in a run; the shapes of the file are fixed', wholeNumber(1), 1)
    .option('--solver <name>', 'as for "meanflow sample", but for those that choose their steps')
    .option('--guidance-inputs', 'leave guidance to the caller, as inputs "omega", "t_min" and "t_max"')
    .addOption(averageOption())
    .option(
      '--normalised',
      'leave samples as the network makes them, with the mean and the scale of each column in the metadata',
    )
    .option(
      '--vae <file>',
      'decoder of an autoencoder, from "meanflow import", as the last part of the sampler',
    )
    .addOption(
      new Option('--dtype <name>', 'of the parameters in the file; float16 halves it')
        .choices(['float32', 'float16'])
        .default('float32'),
    )
    .option('--out <file>', 'where to; sampler.onnx by default')
    .option('--triton <folder>', 'write a model repository of the Triton Inference Server there instead')
    .option('--name <name>', "the model's name in the repository; by default after the run")
    .addOption(forceOption())
    .addHelpText(
      'after',
      `
Examples:
  $ meanflow export runs/digits-meanflow-seed-0 --nfe 1 --batch 16 --out digits.onnx
  $ meanflow export runs/digits-meanflow-seed-0 --nfe 2 --triton models --name digits
  $ meanflow export imf-b.safetensors --vae vae.safetensors --nfe 1 --out imf-b.onnx`,
    );
  withGuidanceOptions(command).action(async (path: string, options: ExportOptions) => {
    const { exportModel } = await import('../actions/export.js');
    await exportModel(path, options, io);
  });
}
