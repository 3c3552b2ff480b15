/** `meanflow import`: a checkpoint that others published, as a model file; or what it holds. */
import { Option, type Command } from 'commander';
import type { Context } from './command.js';
import { importTargetNames, type WeightDType } from '@meanflow/checkpoints';
import { forceOption } from './options.js';

export interface ImportOptions {
  readonly model?: string;
  readonly config?: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly dtype: WeightDType;
  readonly ema?: string;
  readonly list?: boolean;
}

export function describeImport(command: Command, { io }: Context): void {
  command
    .description(
      'Read a checkpoint that others published and write its weights as a model file (safetensors). PyTorch (.pt, .pth), Orbax, flax, ' +
        'NumPy (.npz), zarr and safetensors can be read, files and folders. Nothing in a checkpoint is run. Weights are taken from an ' +
        'average (EMA) where there is one. Names and shapes are checked before anything is written.',
    )
    .argument('<checkpoint>', 'a file or a folder')
    .option('--model <name>', 'what it is, such as imf-dit-b-2; by default found from its names and shapes')
    .option(
      '--config <file>',
      'JSON with the configuration of a network, or {"autoencoder": …}, for models without a name',
    )
    .option('--out <file>', 'where to; <model>.safetensors by default')
    .addOption(
      new Option('--dtype <name>', 'of the weights in the file; float16 halves it')
        .choices(['float32', 'float16'])
        .default('float32'),
    )
    .option('--ema <name>', 'which weights: keys in the checkpoint, such as net_ema1, or none for no average')
    .addOption(forceOption())
    .option('--list', 'print what the checkpoint holds, and write nothing')
    .addHelpText(
      'after',
      `
Examples:
  $ meanflow import checkpoint_800640 --model imf-dit-b-2 --out imf-b.safetensors
  $ meanflow import MiT_B_2.pth --dtype float16
  $ meanflow import checkpoint-last.pth --list
  $ meanflow import diffusion_pytorch_model.safetensors --model sd-vae --out vae.safetensors

Models (those with "-train" after them have the velocity head of training):
  ${modelNames()}`,
    )
    .action(async (path: string, options: ImportOptions) => {
      const { importModel } = await import('../actions/import.js');
      await importModel(path, options, io);
    });
}

/** Names in lines of a terminal's width. */
function modelNames(): string {
  const lines: string[] = [];
  for (const name of importTargetNames.filter((each) => !each.endsWith('-train'))) {
    const last = lines.at(-1);
    if (last === undefined || last.length + name.length > 100) lines.push(name);
    else lines[lines.length - 1] = `${last}, ${name}`;
  }
  return lines.join(',\n  ');
}
