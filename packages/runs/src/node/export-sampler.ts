/** Writing a model's whole sampler as one ONNX file, with the data file and the configuration that may belong to it. */
import { basename } from 'node:path';
import type { ExportedValue } from '@meanflow/backend-ort';
import { withGuidance, type GuidanceChoice } from '../experiment/guidance.js';
import { checkSampleMemory } from '../experiment/memory.js';
import { defaultEvaluations } from '../experiment/solvers.js';
import { samplerModel } from '../export/sampler-model.js';
import { tritonConfig } from '../export/triton.js';
import { writeOutput, writeOutputs } from '../files.js';
import type { OpenModel } from '../open-model.js';

/** How the sampler is made; what is not said is the model's own. */
export interface ExportSamplerOptions extends GuidanceChoice {
  /** Samples in a run, 1 by default: the file's shapes are fixed. */
  readonly rows?: number | undefined;
  /** Network evaluations for each sample; the fewest that the model was made for by default. */
  readonly nfe?: number | undefined;
  readonly solver?: string | undefined;
  /** Leaves the guidance scale and its interval to the caller, as inputs. */
  readonly guidanceInputs?: boolean | undefined;
  /** Leaves samples as the network makes them, with the mean and the scale of each column in the metadata. */
  readonly normalised?: boolean | undefined;
  /** What parameters are kept as; float32 by default. */
  readonly storage?: 'float32' | 'float16' | undefined;
  /** Where a configuration for the Triton Inference Server goes, and the model's name in it. */
  readonly triton?: { readonly config: string; readonly name: string } | undefined;
}

/** What was written. */
export interface ExportedSampler {
  /** Network evaluations for each sample, counted in the graph. */
  readonly nfe: number;
  readonly inputs: readonly ExportedValue[];
  readonly outputs: readonly ExportedValue[];
  /** Of the model and its data file together. */
  readonly bytes: number;
  /** Path of the file with the parameters, where they are too large for the model's own. */
  readonly dataFile: string | undefined;
}

/**
 * Writes a model's sampler: noise, and a class where the model knows classes, in; samples in the units of the data out.
 *
 * @param path of the model, which is there only when all that it needs is
 * @throws {ArgumentError} when the solver chooses its steps itself, evaluations are no whole number of steps, or guidance is asked of a
 *   model that has none
 */
export async function exportSampler(
  { generator, trained }: OpenModel,
  path: string,
  {
    rows = 1,
    solver,
    storage = 'float32',
    normalised = false,
    guidanceInputs = false,
    ...options
  }: ExportSamplerOptions = {},
): Promise<ExportedSampler> {
  checkSampleMemory(rows, generator.data.featureShape, '--batch');
  const nfe = options.nfe ?? defaultEvaluations(generator);
  const exported = samplerModel(withGuidance(generator, nfe, options), {
    ...{ rows, nfe, guidanceInputs, normalised, storage },
    ...(solver && { solver }),
    dataFile: basename(`${path}.data`),
    plugins: trained?.config.plugins,
  });
  const { model, data, inputs, outputs } = exported;
  const dataFile = data === undefined ? undefined : `${path}.data`;
  if (data !== undefined) await writeOutputs(`${path}.data`, data.chunks());
  if (options.triton !== undefined)
    await writeOutput(options.triton.config, tritonConfig(options.triton.name, exported));
  await writeOutputs(path, model.chunks());
  return { nfe: exported.nfe, inputs, outputs, bytes: model.byteLength + (data?.byteLength ?? 0), dataFile };
}
