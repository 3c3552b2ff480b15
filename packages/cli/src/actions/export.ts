/** `meanflow export`: a model's whole sampler as one ONNX file, or as a model repository of the Triton Inference Server. */
import { basename, dirname, extname, join } from 'node:path';
import { ArgumentError } from '@meanflow/core';
import {
  bytesText,
  checkModelName,
  checkOverwrite,
  checkSampleMemory,
  openModel,
  samplerModel,
  tritonConfig,
  writeOutput,
  writeOutputs,
  defaultEvaluations,
  withGuidance,
  solverNamed,
} from '@meanflow/runs/node';
import { noticesTo, type Io } from '../terminal/io.js';
import type { ExportOptions } from '../commands/export.js';

export async function exportModel(path: string, options: ExportOptions, io: Io): Promise<void> {
  const { batch: rows, guidanceInputs = false } = options;
  const place = placeOf(path, options);
  await checkOverwrite([place.model, place.dataFile, place.config], {
    confirm: io.confirm,
    force: options.force,
  });
  const { average, vae: decoder } = options;
  const { generator: loaded } = await openModel(path, { average, decoder, notify: noticesTo(io) });
  checkSampleMemory(rows, loaded.data.featureShape, '--batch');
  const nfe = options.nfe ?? defaultEvaluations(loaded);
  const model = withGuidance(loaded, nfe, options);
  const solver = solverNamed(options.solver);
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
