/** `meanflow export`: a model's whole sampler as one ONNX file, or as a model repository of the Triton Inference Server. */
import { basename, dirname, extname, join } from 'node:path';
import { ArgumentError } from '@meanflow/core';
import { exportSampler, openModel } from '@meanflow/runs/node';
import { bytesText, checkModelName, checkOverwrite, solverNamed } from '@meanflow/runs/command';
import { noticesTo, type Io } from '../terminal/io.js';
import type { ExportOptions } from '../commands/export.js';

export async function exportModel(path: string, options: ExportOptions, io: Io): Promise<void> {
  const { batch: rows, guidanceInputs = false } = options;
  const place = placeOf(path, options);
  await checkOverwrite([place.model, place.dataFile, place.config], {
    confirm: io.confirm,
    force: options.force,
  });
  const { average, vae: decoder, nfe, guidance, guidanceInterval, normalised } = options;
  const opened = await openModel(path, { average, decoder, notify: noticesTo(io) });
  const made = await exportSampler(opened, place.model, {
    ...{ rows, nfe, guidance, guidanceInterval, guidanceInputs, normalised, storage: options.dtype },
    solver: solverNamed(options.solver),
    triton: place.config === undefined ? undefined : { config: place.config, name: place.name },
  });
  for (const note of opened.generator.notes) io.err(`${note}\n`);
  const size = bytesText(made.bytes);
  const list = (values: typeof made.inputs): string =>
    values.map(({ name, dtype, shape }) => `${name} ${dtype}[${shape.join(', ')}]`).join(', ');
  io.err(
    `${place.model}: ${made.nfe} NFE, ${size}${made.dataFile === undefined ? '' : ` with ${made.dataFile}`}\n` +
      `  from ${list(made.inputs)}\n  to   ${list(made.outputs)}\n`,
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
