/**
 * A model: a network with parameters and all that is needed to sample from it. It comes from a trainer's state or from a
 * checkpoint, which carries the configuration and the facts of its data, so that samples need neither the run's folder nor the
 * data itself.
 */
import { ArgumentError, DataError, type ConditionSpecs, type HostArray } from '@meanflow/core';
import { validate } from '@meanflow/core/validation';
import {
  describeData,
  normalisationFromJson,
  type DataCondition,
  type Dataset,
  type Normalisation,
  type TableColumn,
} from '@meanflow/data';
import type { JsonObject } from '@meanflow/formats';
import { createNetwork, type AnyNetwork, type NetworkConfig, networks, objectives } from '@meanflow/models';
import type { ParameterTree, SampleDecoder } from '@meanflow/samplers';
import {
  checkpointChunks,
  checkpointParameters,
  emaKey,
  nonFiniteLeaves,
  worstLeaf,
  type Checkpoint,
  type TrainState,
} from '@meanflow/training';
import { z } from 'zod';
import { runConfigSchema, type RunConfig, type SamplingSettings } from '../config/schema.js';
import { averageName, averageText } from '../config/optimizer-schema.js';
import { checkPlugins } from '../plugins/recorded.js';
import { countText } from '../report/numbers.js';
import { averageNote, chosenAverage } from './averages.js';

/** What a checkpoint remembers of its data. */
export interface DataFacts {
  readonly name: string;
  readonly columns: readonly string[];
  readonly featureShape: readonly number[];
  readonly imageShape: readonly number[] | undefined;
  readonly classNames: readonly string[] | undefined;
  /** Rows of each class, where the data were a finite set with classes. */
  readonly classCounts?: readonly number[] | undefined;
  /** The columns of a table in its own order, those among them that were not learnt, and the label. */
  readonly layout?: readonly TableColumn[] | undefined;
  /** What was understood of the data, in a line. */
  readonly description?: string | undefined;
  readonly normalisation: Normalisation;
  /** What every row is given, by name. */
  readonly conditions?: Readonly<Record<string, DataCondition>> | undefined;
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
  /** What whoever looks at its samples should know. */
  readonly notes: readonly string[];
}

/** A model that was trained here. */
export interface Model extends Generator {
  readonly config: RunConfig;
  /** Which parameters they are: an average by its decay or half-life, or null for the parameters themselves. */
  readonly average: number | null;
  /** Updates made. */
  readonly step: number;
}

/** What follows from a run's configuration. */
function samplingOf(
  config: RunConfig,
  step: number,
  average: number | null,
): Pick<Model, 'average' | 'sampling' | 'guidance' | 'origin' | 'notes'> {
  const { sampling, network, objective, method } = config;
  const { title, isClassifierFree } = objectives.get(method);
  const { takesGuidance } = networks.get(network.kind).facts(network);
  return {
    average,
    sampling,
    guidance: takesGuidance ? 'condition' : isClassifierFree(objective) ? 'classifier-free' : undefined,
    origin: `${title}, step ${countText(step)}${average === sampling.ema ? '' : `, ${weightsText(average)}`}`,
    notes: [averageNote(config, step, average) ?? []].flat(),
  };
}

/** Which parameters they are, in words. */
function weightsText(average: number | null): string {
  return average === null ? 'no average' : `average of ${averageText(average)}`;
}

const columnSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('feature'),
    name: z.string(),
    integer: z.boolean(),
    words: z.tuple([z.string(), z.string()]).optional(),
    given: z.boolean().optional(),
  }),
  z.object({ kind: z.literal('constant'), name: z.string(), value: z.number() }),
  z.object({ kind: z.literal('label'), name: z.string() }),
]);

const infoSchema = () =>
  z.object({
    config: runConfigSchema(),
    /** Of a model that was saved alone: the average that its parameters are, or null; there are no others. */
    saved: z.object({ average: averageName.nullable() }).optional(),
    data: z.object({
      name: z.string(),
      columns: z.array(z.string()),
      featureShape: z.array(z.int().positive()).min(1),
      imageShape: z.array(z.int().positive()).length(3).optional(),
      classNames: z.array(z.string()).optional(),
      classCounts: z.array(z.int().nonnegative()).optional(),
      layout: z.array(columnSchema).optional(),
      description: z.string().optional(),
      normalisation: z.unknown(),
      conditions: z
        .record(
          z.string(),
          z.object({
            kind: z.enum(['vector', 'image', 'sequence', 'mask']),
            shape: z.array(z.int().positive()).min(1),
            optional: z.boolean().optional(),
            columns: z.array(z.string()).optional(),
            normalisation: z.unknown(),
          }),
        )
        .optional(),
    }),
  });

/** The network of a run on data of this shape. */
export function networkOf(
  config: RunConfig,
  { featureShape, classNames, conditions }: Pick<DataFacts, 'featureShape' | 'classNames' | 'conditions'>,
): AnyNetwork {
  const classCount = config.conditional ? classNames?.length : undefined;
  const complete: NetworkConfig = {
    ...config.network,
    featureShape,
    ...(classCount === undefined ? {} : { classCount }),
    ...(conditions && { conditions: conditionSpecs(conditions, config) }),
  };
  return createNetwork(complete);
}

/** A configuration without the places of its data, which say nothing of what was trained. */
export function withoutPlaces({ dataPaths: _, ...config }: RunConfig): RunConfig {
  return config;
}

/** The conditions as a network declares them: those that are dropped in training are optional. */
function conditionSpecs(
  conditions: NonNullable<DataFacts['conditions']>,
  { objective }: RunConfig,
): ConditionSpecs {
  const dropped = objectives.get(objective.kind).optionalConditions(objective);
  return Object.fromEntries(
    Object.entries(conditions).map(([name, { kind, shape, optional = false }]) => [
      name,
      { kind, shape, ...(optional || dropped.includes(name) ? { optional: true } : {}) },
    ]),
  );
}

/** What a checkpoint of a run carries besides its tensors. */
export function checkpointInfo(config: RunConfig, dataset: Dataset): JsonObject {
  const data = { ...factsOf(dataset), description: describeData(dataset) };
  return plain({ config: withoutPlaces(config), data });
}

/** Through text, which leaves out what is undefined. */
function plain(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}

/** The facts of a data set. */
export function factsOf(dataset: Dataset): DataFacts {
  const { name, columns, featureShape, imageShape, classNames, classCounts, layout, normalisation } = dataset;
  const { conditions } = dataset;
  return {
    ...{ name, columns, featureShape, imageShape, classNames, classCounts, layout, normalisation },
    ...(conditions && { conditions }),
  };
}

/** The model of a trainer's state. */
export function modelOfState(
  config: RunConfig,
  dataset: Dataset,
  network: AnyNetwork,
  state: TrainState<ParameterTree>,
): Model {
  const { ema } = config.sampling;
  const params = ema === null ? state.params : state.ema[emaKey(ema)]!;
  const { step } = state;
  return { config, data: factsOf(dataset), network, params, step, ...samplingOf(config, step, ema) };
}

/**
 * The model of a checkpoint.
 *
 * @param wanted of its averages, or "none" for the parameters themselves; as the run says by default
 * @throws {DataError} when it is damaged, or not the checkpoint of the network that it says it is
 * @throws {ArgumentError} when the run keeps no such average
 */
export async function modelOfCheckpoint(checkpoint: Checkpoint, wanted?: string): Promise<Model> {
  const { config, data, saved } = checkpointFacts(checkpoint);
  const facts: DataFacts = {
    ...data,
    imageShape: data.imageShape,
    classNames: data.classNames,
    normalisation: normalisationFromJson(data.normalisation, checkpoint.source),
    conditions:
      data.conditions &&
      Object.fromEntries(
        Object.entries(data.conditions).map(([name, condition]) => [
          name,
          { ...condition, normalisation: normalisationFromJson(condition.normalisation, checkpoint.source) },
        ]),
      ),
  };
  const network = networkOf(config, facts);
  const { step, source } = checkpoint;
  if (saved !== undefined && wanted !== undefined) {
    throw new ArgumentError(`--average: "${source}" is a model alone, which has one set of parameters.`);
  }
  const average = saved === undefined ? chosenAverage(config, wanted) : saved.average;
  const key = saved !== undefined || average === null ? undefined : emaKey(average);
  const params = await checkpointParameters<ParameterTree>(checkpoint, network.specs, key);
  return { config, data: facts, network, params, step, ...samplingOf(config, step, average) };
}

/**
 * A model alone, as pieces of a file to be written in order: its parameters, its configuration and the facts of its data, without what
 * training goes on from. It opens as a checkpoint does.
 */
export function savedModelChunks({ config, data, params, step, average }: Model): Uint8Array[] {
  return checkpointChunks(
    { step, params, optimizer: {}, ema: {} },
    {
      seed: config.seed,
      batchSize: config.batch,
      info: plain({ config: withoutPlaces(config), data, saved: { average } }),
    },
  );
}

/** @throws {DataError} when parameters are infinite or not a number: nothing but noise, or nothing at all, comes of them */
export function checkFiniteParameters(params: ParameterTree, source: string): void {
  const worst = worstLeaf(nonFiniteLeaves(params));
  if (worst === undefined) return;
  throw new DataError(
    `${source} cannot be sampled: its parameters are not finite (${countText(worst.count)} of the ${countText(worst.size)} values of ` +
      `"${worst.path}"). The run diverged; take a checkpoint from before, or another average with --average.`,
  );
}

/**
 * What a checkpoint of a run says of itself.
 *
 * @throws {DataError} when it says something else
 * @throws {ArgumentError} when it uses entries of a plug-in that is not loaded
 */
export function checkpointFacts({ info, source }: Checkpoint): z.infer<ReturnType<typeof infoSchema>> {
  checkPlugins(info.config, source);
  return validate(infoSchema(), info, source, DataError);
}

/** That nobody can tell whether a checkpoint is damaged, where it is an old one. */
export function checksumText({ hasChecksums, source }: Checkpoint): string | undefined {
  return hasChecksums
    ? undefined
    : `${source} was written before checkpoints had checksums: damage in its numbers does not show.`;
}

/** The class of each row, int32 `[rows]`; undefined for a model without classes. */
export type Labels = HostArray<'int32'> | undefined;
