/**
 * A model: a network with parameters and all that is needed to sample from it. It comes from a trainer's state or from a
 * checkpoint, which carries the configuration and the facts of its data, so that samples need neither the run's folder nor the
 * data itself.
 */
import { DataError, RandomKey, type HostArray } from '@meanflow/core';
import { normalisationFromJson, type Dataset, type Normalisation } from '@meanflow/data';
import { createNetwork, type AnyNetwork, type NetworkConfig } from '@meanflow/models';
import type { ParameterTree } from '@meanflow/samplers';
import {
  checkpointParameters,
  emaKey,
  type Checkpoint,
  type JsonObject,
  type TrainState,
} from '@meanflow/training';
import { loadCheckpoint } from '@meanflow/training/node';
import { z } from 'zod';
import { runConfigSchema, type RunConfig } from '../config/schema.js';
import { validate } from '../config/validate.js';

/** What a checkpoint remembers of its data. */
export interface DataFacts {
  readonly name: string;
  readonly columns: readonly string[];
  readonly featureShape: readonly number[];
  readonly imageShape: readonly number[] | undefined;
  readonly classNames: readonly string[] | undefined;
  readonly normalisation: Normalisation;
}

export interface Model {
  readonly config: RunConfig;
  readonly data: DataFacts;
  readonly network: AnyNetwork;
  /** The parameters to sample with: an average of the run's, or its own. */
  readonly params: ParameterTree;
  /** Updates made. */
  readonly step: number;
}

const infoSchema = z.object({
  config: runConfigSchema,
  data: z.object({
    name: z.string(),
    columns: z.array(z.string()),
    featureShape: z.array(z.int().positive()).min(1),
    imageShape: z.array(z.int().positive()).length(3).optional(),
    classNames: z.array(z.string()).optional(),
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
  return JSON.parse(JSON.stringify({ config, data: factsOf(dataset) })) as JsonObject;
}

/** The facts of a data set. */
export function factsOf(dataset: Dataset): DataFacts {
  const { name, columns, featureShape, imageShape, classNames, normalisation } = dataset;
  return { name, columns, featureShape, imageShape, classNames, normalisation };
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
  return { config, data: factsOf(dataset), network, params, step: state.step };
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
  const expected: ParameterTree = network.init(RandomKey.fromSeed(0));
  const params = checkpointParameters(checkpoint, expected, ema === null ? undefined : emaKey(ema));
  return { model: { config, data: facts, network, params, step: checkpoint.step }, checkpoint };
}

/** The class of each row, int32 `[rows]`; undefined for a model without classes. */
export type Labels = HostArray<'int32'> | undefined;
