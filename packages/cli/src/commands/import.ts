/** `meanflow import`: a checkpoint that others published, as a model file; or what it holds. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  importTarget,
  importTargetNames,
  passedOverText,
  type ImportModel,
  type ImportPlan,
  type WeightDType,
} from '@meanflow/checkpoints';
import { importCheckpoint, openCheckpoint } from '@meanflow/checkpoints/node';
import { ArgumentError, formatShape, printable, printableJson, sizeOf } from '@meanflow/core';
import { byteLength, type Catalogue, type PassedOver, type StoredTensor } from '@meanflow/formats';
import { Option, type Command } from 'commander';
import { bytesText, checkOverwrite, countText, overwriteError, readConfigFile } from '@meanflow/runs/node';
import type { Io } from '../terminal/io.js';
import { forceOption } from './options.js';
import { textTable } from '../terminal/table.js';

interface ImportOptions {
  readonly model?: string;
  readonly config?: string;
  readonly out?: string;
  readonly force?: boolean;
  readonly dtype: WeightDType;
  readonly ema?: string;
  readonly list?: boolean;
}

/** How many names of tensors a line tells. */
const LISTED = 6;
/** How many characters of the names of weights, and of a value, are printed. */
const LONGEST_LIST = 2000;
const LONGEST_VALUE = 2000;

export function addImport(program: Command, io: Io): void {
  program
    .command('import')
    .summary('take a published checkpoint')
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
    .action((path: string, options: ImportOptions) => importModel(path, options, io));
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

async function importModel(path: string, options: ImportOptions, io: Io): Promise<void> {
  if (options.list) {
    for (const name of ['model', 'config', 'out', 'ema'] as const) {
      if (options[name] !== undefined)
        throw new ArgumentError(`--${name} and --list exclude each other: a list writes nothing.`);
    }
    io.out(listText(await openCheckpoint(path)));
    return;
  }
  if (options.model !== undefined && options.config !== undefined) {
    throw new ArgumentError('Give --model or --config, not both.');
  }
  // A name that nothing has, before the checkpoint is opened.
  if (options.model !== undefined) importTarget(options.model);
  const model =
    options.config === undefined
      ? options.model
      : ((await readConfigFile(options.config)) as unknown as ImportModel);
  // The checkpoint itself in its own place is refused with or without force.
  if (options.out !== undefined && resolve(options.out) !== resolve(path))
    await checkOverwrite([options.out], { confirm: io.confirm, force: options.force });
  // Its name is known in the middle of the work, when nobody is asked.
  const named = ({ target }: ImportPlan): string => {
    const file = `${target.name ?? 'model'}.safetensors`;
    if (options.force !== true && existsSync(file)) throw overwriteError(file);
    return file;
  };
  const out = options.out ?? named;
  const imported = await importCheckpoint(path, out, {
    dtype: options.dtype,
    ...(model === undefined ? {} : { model }),
    ...(options.ema === undefined ? {} : { average: options.ema }),
    onPlan: (found) => io.err(planText(found)),
  });
  const { name = 'a network of this configuration', parameterCount } = imported.plan.target;
  io.out(
    `${name}: ${countText(parameterCount)} parameters, ${options.dtype}, ${bytesText(imported.bytes)}: ${imported.path}\n`,
  );
}

/** What is taken, and what is not. */
function planText({ format, weights, otherWeights, parameters, leftOver, passedOver }: ImportPlan): string {
  const others =
    otherWeights.length === 0 ? '' : `; also there: ${printable(otherWeights.join(', '), LONGEST_LIST)}`;
  const lines = [`${format}: ${countText(parameters.length)} tensors of ${printable(weights)}${others}\n`];
  if (leftOver.length > 0) {
    const names = leftOver.slice(0, LISTED).map(({ name }) => printable(name));
    const more = leftOver.length > LISTED ? `, and ${leftOver.length - LISTED} more` : '';
    lines.push(`Left over, since the model has no such parameters: ${names.join(', ')}${more}\n`);
  }
  if (passedOver.length > 0) lines.push(passedOverLine(passedOver));
  return lines.join('');
}

function passedOverLine(objects: readonly PassedOver[]): string {
  return `Passed over, and nothing of it run: ${passedOverText(objects)}\n`;
}

function listText({ format, tensors, values, passedOver = [] }: Catalogue): string {
  const rows = tensors.map((tensor) => [
    tensor.name,
    tensor.dtype,
    formatShape(tensor.shape),
    bytesText(byteLength(tensor)),
  ]);
  const plain = values.map(
    ({ name, value }) => `${printable(name)} = ${printableJson(value, LONGEST_VALUE)}\n`,
  );
  return [
    `${format}\n\n`,
    rows.length === 0 ? '' : textTable([['tensor', 'dtype', 'shape', 'bytes'], 'rule', ...rows]),
    plain.length === 0 ? '' : `\n${plain.join('')}`,
    passedOver.length === 0 ? '' : `\n${passedOverLine(passedOver)}`,
    `\n${countText(tensors.length)} tensors, ${countText(sum(tensors, ({ shape }) => sizeOf(shape)))} numbers, `,
    `${bytesText(sum(tensors, byteLength))}; ${countText(values.length)} other values\n`,
  ].join('');
}

function sum(tensors: readonly StoredTensor[], of: (tensor: StoredTensor) => number): number {
  return tensors.reduce((total, tensor) => total + of(tensor), 0);
}
