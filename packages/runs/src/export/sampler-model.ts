/**
 * A model's whole sampler as an ONNX model: noise, and a class where the model knows classes, in; samples in the units of
 * the data out. Every step, the guidance and the return to the data's units are part of it.
 */
import { exportOnnx, type ExportedModel } from '@meanflow/backend-ort';
import {
  add,
  ArgumentError,
  constant,
  hostArray,
  mul,
  reshape,
  treePaths,
  type HostArray,
  type Tensor,
} from '@meanflow/core';
import { noNormalisation, type Normalisation } from '@meanflow/data';
import { sampleGraph, solvers, type SampleDecoder } from '@meanflow/samplers';
import type { SamplingSettings } from '../config/schema.js';
import type { DataFacts, Generator } from '../experiment/model.js';
import { timesFor } from '../experiment/solvers.js';
import type { PluginRecord } from '../plugins/recorded.js';

export interface SamplerModelOptions {
  /** Samples in a run; the model's shapes are fixed. */
  readonly rows: number;
  /** Network evaluations for each sample. */
  readonly nfe: number;
  /** The run's own by default. */
  readonly solver?: string;
  /** Leave the guidance scale and interval to the caller, as inputs. */
  readonly guidanceInputs: boolean;
  /** Whether samples are left as the network makes them, to be brought to the data's units in float64. */
  readonly normalised?: boolean;
  /** What parameters are kept as in the file. */
  readonly storage: 'float32' | 'float16';
  /** The plug-ins that it was made with, for the metadata. */
  readonly plugins?: readonly PluginRecord[] | undefined;
  /** Name of the data file beside the model, where the parameters need one. */
  readonly dataFile: string;
}

/** Names of the inputs, by their path in the sampler's graph. */
const inputNames: Readonly<Record<string, string>> = {
  'values/noise': 'noise',
  'conditions/label': 'label',
  'conditions/omega': 'omega',
  'conditions/tMin': 't_min',
  'conditions/tMax': 't_max',
  'conditions/guidance/scale': 'omega',
  'conditions/guidance/start': 't_min',
  'conditions/guidance/end': 't_max',
};

/**
 * Exports a model's sampler.
 *
 * @returns the model, and the network evaluations in it for each sample, counted
 * @throws {ArgumentError} when the solver chooses its steps itself, or the evaluations are no whole number of steps, or
 *   guidance is to be an input of a model that has none
 */
export function samplerModel(
  model: Generator,
  { rows, nfe, guidanceInputs, normalised = false, storage, dataFile, ...options }: SamplerModelOptions,
): ExportedModel & { readonly nfe: number } {
  const { sampling, network, params, data } = model;
  const name = options.solver ?? sampling.solver;
  const { guidance } = sampling;
  const isClassifierFree = guidance !== undefined && model.guidance === 'classifier-free';
  const times = timesFor({ solver: name }, nfe, isClassifierFree);
  const solver = solvers.get(name);
  if (solver.kind === 'adaptive') {
    throw new ArgumentError(
      `The solver "${name}" chooses its steps while it runs; a graph needs fixed ones.`,
    );
  }
  if (guidance === undefined && guidanceInputs) {
    throw new ArgumentError(
      'The model samples without guidance, so no guidance can be left to the caller: give --guidance, or train with it.',
    );
  }
  if (!normalised) checkFine(data);
  const traced = sampleGraph(network, params, {
    rows,
    solver,
    times,
    label: network.classCount !== undefined,
    condition: guidance !== undefined && !isClassifierFree,
    guidance: guidance !== undefined && isClassifierFree,
    decoder: withUnits(
      model.decoder,
      normalised ? noNormalisation(data.normalisation.mean.length) : data.normalisation,
    ),
  });
  const conditions = guidanceInputs ? {} : guidanceValues(guidance, isClassifierFree);
  const parameters = Object.fromEntries(
    treePaths<HostArray>({ params, decoder: model.decoder?.params ?? {} }).map(({ path, leaf }) => [
      path,
      leaf,
    ]),
  );
  const own = Object.keys(network.conditions ?? {}).map((each) => [
    `conditions/${each}`,
    `conditions/${each}`,
  ]);
  const names: Readonly<Record<string, string>> = { ...inputNames, ...Object.fromEntries(own) };
  const paths = traced.graph.inputs.map((input) => input.name).filter((path) => Object.hasOwn(names, path));
  const exported = exportOnnx(traced.graph, {
    inputs: Object.fromEntries(
      paths.filter((path) => !Object.hasOwn(conditions, path)).map((path) => [path, names[path]!]),
    ),
    outputs: { samples: 'samples' },
    parameters: { ...parameters, ...conditions },
    storage,
    dataFile,
    metadata: {
      data: data.name,
      model: model.origin,
      nfe: String(traced.nfe),
      ...(options.plugins && { plugins: JSON.stringify(options.plugins) }),
      ...(data.classNames && { classes: JSON.stringify(data.classNames) }),
      ...(data.conditions && { conditions: JSON.stringify(data.conditions) }),
      ...(data.layout && { columns: JSON.stringify(data.layout) }),
      ...(normalised && { normalisation: JSON.stringify(data.normalisation) }),
      ...(data.classCounts && { class_counts: JSON.stringify(data.classCounts) }),
    },
  });
  return { ...exported, nfe: traced.nfe };
}

/** Steps in a column's deviation that float32 must have at least. */
const FINE = 1000;

/** @throws {ArgumentError} when float32, in which the model computes, is too coarse for a column, such as times in seconds */
function checkFine({ columns, normalisation: { mean, scale } }: DataFacts): void {
  const coarse = mean.findIndex((value, i) => Math.abs(value) * 2 ** -23 * FINE > scale[i]!);
  if (coarse < 0) return;
  throw new ArgumentError(
    `The model computes in float32, which is too coarse for "${columns[coarse] ?? coarse}": values near ` +
      `${mean[coarse]!.toPrecision(4)} that spread by ${scale[coarse]!.toPrecision(4)}. With --normalised samples are left as the ` +
      "network makes them, and the file's metadata has the mean and the scale of each column.",
  );
}

/** The guidance of a sampler's graph, by path. */
function guidanceValues(
  guidance: SamplingSettings['guidance'],
  isClassifierFree: boolean,
): Record<string, HostArray> {
  if (guidance === undefined) return {};
  const names = isClassifierFree
    ? ['guidance/scale', 'guidance/start', 'guidance/end']
    : ['omega', 'tMin', 'tMax'];
  const values = [guidance.scale, guidance.start ?? 0, guidance.end ?? 1];
  return Object.fromEntries(names.map((name, i) => [`conditions/${name}`, hostArray(values[i]!)]));
}

/** From what the network makes to what the data is, in its units: the decoder if there is one, then `denormalise`. */
function withUnits(decoder: SampleDecoder | undefined, { mean, scale }: Normalisation): SampleDecoder {
  const isIdentity = mean.every((value) => value === 0) && scale.every((value) => value === 1);
  const column = (values: readonly number[], samples: Tensor): Tensor | number => {
    if (values.every((value) => value === values[0])) return values[0]!;
    // One for each entry of the last axis is broadcast, one for each feature laid out as they are.
    const isByChannel = values.length === samples.shape[samples.rank - 1];
    return isByChannel ? constant([...values]) : reshape(constant([...values]), samples.shape.slice(1));
  };
  return {
    params: decoder?.params ?? {},
    apply: (params, made) => {
      const samples = decoder === undefined ? made : decoder.apply(params, made);
      return isIdentity ? samples : add(mul(samples, column(scale, samples)), column(mean, samples));
    },
  };
}
