/**
 * A model: a network with parameters and all that is needed to sample from it. It comes from a trainer's state or from a
 * checkpoint, which carries the configuration and the facts of its data, so that samples need neither the run's folder nor the
 * data itself.
 */
import { DataError, type HostArray } from '@meanflow/core';
import { describeData, normalisationFromJson, type Dataset, type Normalisation } from '@meanflow/data';
import type { JsonObject } from '@meanflow/formats';
import { createNetwork, type AnyNetwork, type NetworkConfig } from '@meanflow/models';
import type { ParameterTree, SampleDecoder } from '@meanflow/samplers';
import { checkpointParameters, emaKey, type Checkpoint, type TrainState } from '@meanflow/training';
import { loadCheckpoint } from '@meanflow/training/node';
import { z } from 'zod';
import { takesGuidance } from '../config/network-schema.js';
import { runConfigSchema, type RunConfig, type SamplingSettings } from '../config/schema.js';
import { validate } from '../config/validate.js';
import { methods } from '../methods.js';
import { countText } from '../report/numbers.js';

/** What a checkpoint remembers of its data. */
export interface DataFacts {
  readonly name: string;
  readonly columns: readonly string[];
  readonly featureShape: readonly number[];
  readonly imageShape: readonly number[] | undefined;
  readonly classNames: readonly string[] | undefined;
  /** Rows of each class, where the data were a finite set with classes. */
  readonly classCounts?: readonly number[] | undefined;
  /** What was understood of the data, in a line. */
  readonly description?: string | undefined;
  readonly normalisation: Normalisation;
}

/** What samples are drawn from, whether it was trained here or imported. */
export interface Generator {
  readonly data: DataFacts;
  readonly network: AnyNetwork;
  /** The parameters to sample with; of a run an average, or its own. */
  readonly params: ParameterTree;
  /** How it is sampled where nothing else is asked for. */
  readonly sampling: SamplingSettings;
  /** Guidance by the number of network evaluations, where it differs from `sampling.guidance`. */
  readonly guidanceAt?: Readonly<Record<number, NonNullable<SamplingSettings['guidance']>>>;
  /** What samples go through to be what `data` describes, and how many rows at a time. */
  readonly decoder?: SampleDecoder & { readonly params: ParameterTree; readonly rows: number };
  /** How many samples are drawn at once, where the network is too large for thousands. */
  readonly atOnce?: number;
  /** How guidance acts when sampling, where the network was made for it. */
  readonly guidance: 'condition' | 'classifier-free' | undefined;
  /** What it is, for people: the method and the step, or a published name. */
  readonly origin: string;
}

/** A model that was trained here. */
export interface Model extends Generator {
  readonly config: RunConfig;
  /** Updates made. */
  readonly step: number;
}

/** What follows from a run's configuration. */
function samplingOf(config: RunConfig, step: number): Pick<Generator, 'sampling' | 'guidance' | 'origin'> {
  const { sampling, network, objective, method } = config;
  const isClassifierFree = objective.kind === 'flow-matching' && objective.labelDrop !== undefined;
  return {
    sampling,
    guidance: takesGuidance(network) ? 'condition' : isClassifierFree ? 'classifier-free' : undefined,
    origin: `${methods[method].title}, step ${countText(step)}`,
  };
}

const infoSchema = z.object({
  config: runConfigSchema,
  data: z.object({
    name: z.string(),
    columns: z.array(z.string()),
    featureShape: z.array(z.int().positive()).min(1),
    imageShape: z.array(z.int().positive()).length(3).optional(),
    classNames: z.array(z.string()).optional(),
    classCounts: z.array(z.int().nonnegative()).optional(),
    description: z.string().optional(),
    normalisation: z.unknown(),
  }),
});

/** The network of a run on data of this shape. */
export function networkOf(
  config: RunConfig,
  { featureShape, classNames }: Pick<DataFacts, 'featureShape' | 'classNames'>,
): AnyNetwork {
  const classCount = config.conditional ? classNames?.length : undefined;
  const complete: NetworkConfig = {
    ...config.network,
    featureShape,
    ...(classCount === undefined ? {} : { classCount }),
  };
  return createNetwork(complete);
}

/** What a checkpoint of a run carries besides its tensors. */
export function checkpointInfo(config: RunConfig, dataset: Dataset): JsonObject {
  // Through text, which leaves out what is undefined.
  const data = { ...factsOf(dataset), description: describeData(dataset) };
  return JSON.parse(JSON.stringify({ config, data })) as JsonObject;
}

/** The facts of a data set. */
export function factsOf(dataset: Dataset): DataFacts {
  const { name, columns, featureShape, imageShape, classNames, classCounts, normalisation } = dataset;
  return { name, columns, featureShape, imageShape, classNames, classCounts, normalisation };
}

/** The model of a trainer's state. */
export function modelOfState(
  config: RunConfig,
  dataset: Dataset,
  network: AnyNetwork,
  state: TrainState<ParameterTree>,
): Model {
  const { ema } = config.sampling;
  const params = ema === null ? state.params : state.ema[emaKey(ema)];
  const { step } = state;
  return { config, data: factsOf(dataset), network, params, step, ...samplingOf(config, step) };
}

/**
 * The model of a checkpoint file, or of the latest checkpoint of a run's folder.
 *
 * @throws {DataError} when it is missing, damaged, or not the checkpoint of the network that it says it is
 */
export async function loadModel(
  path: string,
): Promise<{ readonly model: Model; readonly checkpoint: Checkpoint }> {
  const checkpoint = await loadCheckpoint(path);
  const { config, data } = validate(infoSchema, checkpoint.info, checkpoint.source, DataError);
  const facts: DataFacts = {
    ...data,
    imageShape: data.imageShape,
    classNames: data.classNames,
    normalisation: normalisationFromJson(data.normalisation, checkpoint.source),
  };
  const network = networkOf(config, facts);
  const { ema } = config.sampling;
  const average = ema === null ? undefined : emaKey(ema);
  const params = checkpointParameters<ParameterTree>(checkpoint, network.specs, average);
  const { step } = checkpoint;
  return { model: { config, data: facts, network, params, step, ...samplingOf(config, step) }, checkpoint };
}

/** The class of each row, int32 `[rows]`; undefined for a model without classes. */
export type Labels = HostArray<'int32'> | undefined;
