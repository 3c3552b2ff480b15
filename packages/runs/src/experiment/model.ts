/**
 * A model: a network with parameters and all that is needed to sample from it. It comes from a trainer's state or from a
 * checkpoint, which carries the configuration and the facts of its data, so that samples need neither the run's folder nor the
 * data itself.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, type HostArray } from '@meanflow/core';
import {
  describeData,
  normalisationFromJson,
  type Dataset,
  type Normalisation,
  type TableColumn,
} from '@meanflow/data';
import type { JsonObject } from '@meanflow/formats';
import { createNetwork, type AnyNetwork, type NetworkConfig } from '@meanflow/models';
import type { ParameterTree, SampleDecoder } from '@meanflow/samplers';
import {
  checkpointParameters,
  emaKey,
  nonFiniteLeaves,
  worstLeaf,
  type Checkpoint,
  type TrainState,
} from '@meanflow/training';
import { loadCheckpoint, readRunConfig, type DamagedCheckpoint } from '@meanflow/training/node';
import { z } from 'zod';
import { takesGuidance } from '../config/network-schema.js';
import { runConfigSchema, type RunConfig, type SamplingSettings } from '../config/schema.js';
import { validate } from '../config/validate.js';
import { averageText } from '../config/optimizer-schema.js';
import { methods } from '../methods.js';
import { countText } from '../report/numbers.js';
import { averageNote, chosenAverage } from './averages.js';
import { withoutPlaces } from './data-place.js';
import { compareWithRun } from './same-run.js';

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
  /** Updates made. */
  readonly step: number;
}

/** What follows from a run's configuration. */
function samplingOf(
  config: RunConfig,
  step: number,
  average: number | null,
): Pick<Generator, 'sampling' | 'guidance' | 'origin' | 'notes'> {
  const { sampling, network, objective, method } = config;
  const isClassifierFree = objective.kind === 'flow-matching' && objective.labelDrop !== undefined;
  return {
    sampling,
    guidance: takesGuidance(network) ? 'condition' : isClassifierFree ? 'classifier-free' : undefined,
    origin: `${methods[method].title}, step ${countText(step)}${average === sampling.ema ? '' : `, ${weightsText(average)}`}`,
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
  }),
  z.object({ kind: z.literal('constant'), name: z.string(), value: z.number() }),
  z.object({ kind: z.literal('label'), name: z.string() }),
]);

const infoSchema = z.object({
  config: runConfigSchema,
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
  return JSON.parse(JSON.stringify({ config: withoutPlaces(config), data })) as JsonObject;
}

/** The facts of a data set. */
export function factsOf(dataset: Dataset): DataFacts {
  const { name, columns, featureShape, imageShape, classNames, classCounts, layout, normalisation } = dataset;
  return { name, columns, featureShape, imageShape, classNames, classCounts, layout, normalisation };
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
  return { config, data: factsOf(dataset), network, params, step, ...samplingOf(config, step, ema) };
}

export interface LoadOptions {
  /** Of a run: the average to sample with, or "none" for the parameters themselves; as the run says by default. */
  readonly average?: string | undefined;
  /** Told, in a sentence, of what a user should know: a checkpoint that was damaged and passed over, settings that have changed. */
  readonly notify?: ((sentence: string) => void) | undefined;
}

/**
 * The model of a checkpoint file, or of the latest intact checkpoint of a run's folder.
 *
 * @throws {DataError} when it is missing, damaged, not the checkpoint of the network that it says it is, or not of the run in
 *   whose folder it lies
 * @throws {ArgumentError} when the run keeps no such average
 */
export async function loadModel(
  path: string,
  { average: wanted, notify }: LoadOptions = {},
): Promise<{ readonly model: Model; readonly checkpoint: Checkpoint }> {
  const damaged: DamagedCheckpoint[] = [];
  const checkpoint = await loadCheckpoint(path, { onPassedOver: (each) => damaged.push(each) });
  if (damaged.length > 0) notify?.(passedOverText(damaged, checkpoint));
  const unchecked = checksumText(checkpoint);
  if (unchecked !== undefined) notify?.(unchecked);
  const { config, data } = checkpointFacts(checkpoint);
  const current = await configOfFolder(path, notify);
  if (current !== undefined) {
    const changes = compareWithRun(checkpoint, config, current.config, current.source);
    if (changes !== undefined) notify?.(changes);
  }
  const facts: DataFacts = {
    ...data,
    imageShape: data.imageShape,
    classNames: data.classNames,
    normalisation: normalisationFromJson(data.normalisation, checkpoint.source),
  };
  const network = networkOf(config, facts);
  const average = chosenAverage(config, wanted);
  const key = average === null ? undefined : emaKey(average);
  const params = await checkpointParameters<ParameterTree>(checkpoint, network.specs, key);
  const { step } = checkpoint;
  const sampling = samplingOf(config, step, average);
  return { model: { config, data: facts, network, params, step, ...sampling }, checkpoint };
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

/** What a checkpoint of a run says of itself. @throws {DataError} when it says something else */
export function checkpointFacts({ info, source }: Checkpoint): z.infer<typeof infoSchema> {
  return validate(infoSchema, info, source, DataError);
}

/**
 * What looks at the checkpoint that a run goes on from.
 *
 * @param config of the run, as `source`, its config.json, says
 * @param notify told, in a sentence, of what a user should know
 * @returns throws where the checkpoint is not of this run
 */
export function checkpointCheck(
  config: RunConfig,
  source: string,
  notify: (sentence: string) => void,
): (checkpoint: Checkpoint) => void {
  return (checkpoint) => {
    const changes = compareWithRun(checkpoint, checkpointFacts(checkpoint).config, config, source);
    for (const notice of [checksumText(checkpoint), changes]) if (notice !== undefined) notify(notice);
  };
}

/** That nobody can tell whether a checkpoint is damaged, where it is an old one. */
export function checksumText({ hasChecksums, source }: Checkpoint): string | undefined {
  return hasChecksums
    ? undefined
    : `${source} was written before checkpoints had checksums: damage in its numbers does not show.`;
}

/** Checkpoints that were passed over, and the one that is used instead. */
export function passedOverText(
  damaged: readonly DamagedCheckpoint[],
  used: Pick<Checkpoint, 'step' | 'source'>,
): string {
  const problems = damaged.map(({ problem }) => problem).join('\n');
  return `warning: ${problems}\nStep ${countText(used.step)} is used instead (${used.source}).`;
}

/** What config.json says in the folder of a run; undefined for a file, and where there is no such configuration. */
async function configOfFolder(
  path: string,
  notify: LoadOptions['notify'],
): Promise<{ readonly config: RunConfig; readonly source: string } | undefined> {
  const source = join(path, 'config.json');
  if (!existsSync(source)) return undefined;
  try {
    return { config: validate(runConfigSchema, await readRunConfig(path), source, DataError), source };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    notify?.(`warning: the run's settings cannot be compared with the checkpoint's: ${error.message}`);
    return undefined;
  }
}

/** The class of each row, int32 `[rows]`; undefined for a model without classes. */
export type Labels = HostArray<'int32'> | undefined;
