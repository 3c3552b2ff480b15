/** `meanflow export`: a model's whole sampler as one ONNX file, or as a model repository of the Triton Inference Server. */
import { basename, dirname, extname, join } from 'node:path';
import { ArgumentError } from '@meanflow/core';
import { Option, type Command } from 'commander';
import {
  bytesText,
  checkModelName,
  checkOverwrite,
  checkSampleMemory,
  loadGenerator,
  samplerModel,
  tritonConfig,
  writeOutput,
  writeOutputs,
} from '@meanflow/runs/node';
import { noticesTo, type Io } from '../terminal/io.js';
import { defaultEvaluations, solverOption, withGuidance } from './sample.js';
import { averageOption, forceOption, evaluations, wholeNumber, withGuidanceOptions } from './options.js';

interface ExportOptions {
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

export function addExport(program: Command, io: Io): void {
  const command = program
    .command('export')
    .summary('write a sampler as one ONNX file')
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
  withGuidanceOptions(command).action((path: string, options: ExportOptions) =>
    exportModel(path, options, io),
  );
}

async function exportModel(path: string, options: ExportOptions, io: Io): Promise<void> {
  const { batch: rows, guidanceInputs = false } = options;
  const place = placeOf(path, options);
  await checkOverwrite([place.model, place.dataFile, place.config], {
    confirm: io.confirm,
    force: options.force,
  });
  const loaded = await loadGenerator(path, { ...options, notify: noticesTo(io) });
  checkSampleMemory(rows, loaded.data.featureShape, '--batch');
  const nfe = options.nfe ?? defaultEvaluations(loaded);
  const model = withGuidance(loaded, nfe, options);
  const solver = solverOption(options.solver);
  const exported = samplerModel(model, {
    rows,
    nfe,
    ...(solver && { solver }),
    guidanceInputs,
    normalised: options.normalised ?? false,
    storage: options.dtype,
    dataFile: basename(place.dataFile),
  });
  const { model: file, data } = exported;
  // The model last: it is there only when all that it needs is.
  if (data !== undefined) await writeOutputs(place.dataFile, data.chunks());
  if (place.config !== undefined) await writeOutput(place.config, tritonConfig(place.name, exported));
  await writeOutputs(place.model, file.chunks());
  for (const note of model.notes) io.err(`${note}\n`);
  const size = bytesText(file.byteLength + (data?.byteLength ?? 0));
  const inputs = exported.inputs.map(({ name, dtype, shape }) => `${name} ${dtype}[${shape.join(', ')}]`);
  io.err(
    `${place.model}: ${exported.nfe} NFE, ${size}${data === undefined ? '' : ` with ${place.dataFile}`}\n` +
      `  from ${inputs.join(', ')}\n  to   ${exported.outputs.map(({ name, dtype, shape }) => `${name} ${dtype}[${shape.join(', ')}]`).join(', ')}\n`,
  );
}

/** The files that are to be written. */
interface Place {
  readonly name: string;
  readonly model: string;
  readonly dataFile: string;
  readonly config: string | undefined;
}

/** @throws {ArgumentError} when options exclude each other, or a name or an ending will not do */
function placeOf(path: string, { out, triton, name: given }: ExportOptions): Place {
  const name = given ?? basename(path, extname(path) === '.safetensors' ? '.safetensors' : '');
  if (triton !== undefined) {
    if (out !== undefined)
      throw new ArgumentError('Give --out for a file or --triton for a repository, not both.');
    checkModelName(name);
    const folder = join(triton, name);
    const model = join(folder, '1', 'model.onnx');
    return { name, model, dataFile: `${model}.data`, config: join(folder, 'config.pbtxt') };
  }
  if (given !== undefined) throw new ArgumentError('--name is the name in a repository: give --triton too.');
  const model = out ?? 'sampler.onnx';
  if (extname(model) !== '.onnx') throw new ArgumentError(`"${model}" must end in .onnx.`);
  return { name, model, dataFile: join(dirname(model), `${basename(model)}.data`), config: undefined };
}
