/**
 * From what was asked for (a configuration file, the command line) to one run with every default resolved: open the data, take its
 * recipe, lay the changes over it, check. Nothing is written and nothing computed before all of it is right.
 */
import { hasMatrices, networks, objectives } from '@meanflow/models';
import { ArgumentError } from '@meanflow/core';
import { placeOf, validate } from '@meanflow/core/validation';
import type { Dataset, ImageLayout } from '@meanflow/data';
import { metrics } from '@meanflow/metrics';
import { z } from 'zod';
import { backendNamed } from '../backends.js';
import {
  imageSettingsSchema,
  latentSettingsSchema,
  readingSchema,
  tableSettingsSchema,
} from '../config/data-schema.js';
import { isRecord, type JsonRecord } from '../config/merge.js';
import { averagesOf } from '../config/optimizer-schema.js';
import { askedRunSchema, choiceFields, initSchema, type Recipe, type RunConfig } from '../config/schema.js';
import type { ConfigSource } from '../config/read-file.js';
import { checkPlugins, withPlugins } from '../plugins/recorded.js';
import { recipeFor } from '../recipes/index.js';
import { publishedRecipe } from '../recipes/published.js';
import { checkClassifiable } from './classifier.js';
import { checkDigest, digestOf, withDigests } from './data-digest.js';
import { formerReading } from './former-reading.js';
import { mergeRuns, withSteps } from './lengths.js';
import { applicableSettings, kindOf, openData } from './open-data.js';
import { stepsFor } from './solvers.js';
import { inheritedSettings, openWarmStart, type WarmStart } from './warm-start.js';

/** A run that can begin. */
export interface ResolvedRun {
  readonly config: RunConfig;
  readonly dataset: Dataset;
  /** Where it was written, for messages. */
  readonly source?: string | ConfigSource;
  /** Parameters that it begins with. */
  readonly init?: WarmStart;
}

/** What decides the recipe and the data, and so is looked at first. */
const choiceSchema = () =>
  z.looseObject({
    ...choiceFields,
    method: z.enum(objectives.names),
    conditional: z.boolean().optional(),
    network: z.looseObject({ kind: z.string().optional() }).optional(),
  });

const defaults = {
  data: '8-gaussians',
  heldOut: 0.2,
  splitSeed: 0,
  method: 'meanflow',
  backend: 'ort:cpu',
  seed: 0,
  logEvery: 100,
  checkpointEvery: 2000,
} as const;

export interface ResolveOptions {
  /** The data set's own by default. */
  readonly recipe?: Recipe;
  /** Opens the data; `openData` by default. */
  readonly open?: typeof openData;
  /** Told, in a sentence, of what a user should know of what the run begins with. */
  readonly notify?: (sentence: string) => void;
}

/**
 * One run.
 *
 * @param given over the recipe, such as a configuration file's content under the options of the command line
 * @param source what `given` comes from, for messages
 * @throws {ArgumentError | DataError} when something is unknown, out of range or does not fit
 */
export async function resolveRun(
  given: JsonRecord,
  source: string | ConfigSource,
  { recipe, open = openData, notify }: ResolveOptions = {},
): Promise<ResolvedRun> {
  const asked = validate(z.looseObject({ init: initSchema.optional() }), given, source).init;
  const init = asked && (await openWarmStart(asked, notify));
  const changes = init === undefined ? given : mergeRuns(await inheritedSettings(init, given), given);
  const name = validate(z.looseObject({ recipe: choiceFields.recipe }), changes, source).recipe;
  const published = name === undefined ? {} : publishedRecipe(name);
  const data = validate(
    z.looseObject({ data: choiceFields.data }),
    mergeRuns(defaults, changes),
    source,
  ).data;
  const { images, latents, ...settings } = published;
  const base: JsonRecord = { ...settings, ...applicableSettings(kindOf(data), { images, latents }) };
  const choice = validate(choiceSchema(), mergeRuns({ ...defaults, ...base }, changes), source);
  const own = recipe && merged(recipe, choice.method);
  const kind = choice.network?.kind ?? (isRecord(own?.network) ? own.network.kind : undefined);
  const conditional = choice.conditional ?? recipe?.conditional ?? true;
  const dataset = await open({
    ...choice,
    layout: layoutFor(kind),
    ...(networks.find(kind)?.isFlat && { latentsIfUnclear: 'nchw' }),
    conditional,
  });
  const complete = followed(own ?? merged(recipeFor(dataset), choice.method), base);
  const run = validate(askedRunSchema(), mergeRuns(complete, changes), source);
  const found = withSteps(run, dataset, source);
  checkFit(found, dataset, source);
  // Of the data as it is: settings of an earlier run begin a new one.
  const { digest: _, reading: __, dataPaths: ___, plugins: ____, ...config } = found;
  const digest = await digestOf(data, choice.images);
  const { reading } = dataset;
  const recorded = {
    ...(reading && { reading: readingSettings(reading) }),
    ...(digest === undefined ? {} : { digest }),
    ...(init && { init: init.init }),
    ...(found.task && { task: await withDigests(found.task) }),
  };
  return { config: withPlugins({ ...config, ...recorded }), dataset, source, ...(init && { init }) };
}

/** How data were read, as a configuration holds it. */
function readingSettings(reading: NonNullable<Dataset['reading']>): RunConfig['reading'] {
  return validate(readingSchema, JSON.parse(JSON.stringify(reading)), 'The reading');
}

/** The choice of data that a run's configuration records: they are read as they were. */
function recordedChoice(config: RunConfig): RunConfig {
  const { data, images, latents } = config;
  const reading = config.reading ?? formerReading(data);
  if (reading === undefined) return config;
  const as = <T>(schema: z.ZodType<T>): T => validate(schema, reading, `The reading of "${data}"`);
  switch (kindOf(data)) {
    case 'table':
      return { ...config, table: as(tableSettingsSchema) };
    case 'latents':
      return { ...config, latents: { ...as(latentSettingsSchema), ...latents } };
    case 'image-folder':
      return { ...config, images: { ...as(imageSettingsSchema), ...images } };
    default:
      return config;
  }
}

/**
 * The data set of a run that was begun, as its configuration names it.
 *
 * @throws {DataError} when its file is missing, damaged, or has changed since the run began
 */
export async function openDataOf(config: RunConfig): Promise<Dataset> {
  checkPlugins(config, 'The data of the run', ['datasets']);
  const dataset = await openData({ ...recordedChoice(config), layout: layoutFor(config.network.kind) });
  await checkDigest(config);
  return dataset;
}

/**
 * The same data to judge by: images that are trained on with flips or shifts, as they are.
 *
 * @param layout the network's by default
 */
export async function openJudgedDataOf(
  config: RunConfig,
  layout: ImageLayout = layoutFor(config.network.kind),
): Promise<Dataset> {
  checkPlugins(config, 'The data of the run', ['datasets']);
  const recorded = recordedChoice(config);
  const { flip: _, cropPadding: __, ...plain } = recorded.images ?? {};
  const dataset = await openData({ ...recorded, images: recorded.images && plain, layout });
  await checkDigest(config);
  return dataset;
}

/** What a run that is at hand is judged by: its own data, opened anew only where images are changed in training. */
export async function judgedData({ config, dataset }: ResolvedRun): Promise<Dataset> {
  const { flip = false, cropPadding = 0 } = config.images ?? {};
  return flip || cropPadding > 0 ? openJudgedDataOf(config) : dataset;
}

/** The run of a method that a recipe describes; not checked yet. */
function merged(recipe: Recipe, method: string): JsonRecord {
  const { methods, ...shared } = recipe;
  const own = methods[method];
  if (own === undefined) throw new ArgumentError(`The recipe has no method "${method}".`);
  const { objective, network, sampling } = own;
  return mergeRuns({ ...defaults, ...shared, method, objective, sampling }, network && { network });
}

/** A published recipe in place of the data's own, part by part: its parts mean nothing to each other's. */
function followed(own: JsonRecord, published: JsonRecord): JsonRecord {
  const { steps: _, ...rest } = own;
  return { ...('epochs' in published ? rest : own), ...published };
}

/** How a network takes images. @param kind of a network, checked or not */
function layoutFor(kind: unknown): ImageLayout {
  return networks.find(kind)?.layout ?? 'nhwc';
}

/** What no schema sees: whether the parts fit together. */
function checkFit(config: RunConfig, dataset: Dataset, source: string | ConfigSource): void {
  const { sampling, ema, evaluation, objective, method } = config;
  backendNamed(config.backend);
  evaluation.metrics.forEach((name) => metrics.get(name));
  checkClassifiable(evaluation.metrics, dataset);
  sampling.nfe.forEach((nfe) => stepsFor(sampling, nfe, usesTwoEvaluations(config)));
  if (objective.kind !== method) {
    throw new ArgumentError(
      `${source}: ${placeOf(source, ['objective', 'kind'])}expected "${method}", the method of the run, got "${objective.kind}".`,
    );
  }
  const averages = averagesOf(ema);
  if (sampling.ema !== null && !averages.includes(sampling.ema)) {
    throw new ArgumentError(
      `${source}: ${placeOf(source, ['sampling', 'ema'])}expected a decay or half-life of ema (${averages.join(', ')}) or null, got ${sampling.ema}.`,
    );
  }
  if (config.optimizer.kind === 'muon' && !hasMatrices(config.network.kind)) {
    throw new ArgumentError(
      `${source}: ${placeOf(source, ['optimizer', 'kind'])}Muon trains the published networks (${networks.names.filter(hasMatrices).join(', ')}), and this is "${config.network.kind}": ` +
        'use adamw.',
    );
  }
  if (config.conditional && dataset.classCount === undefined) {
    throw new ArgumentError(
      `The data "${dataset.name}" has no classes to condition on: name the label column of a CSV file (--label), or train without ` +
        'classes (--unconditional, or conditional: false in a configuration file).',
    );
  }
  if (config.conditional && !networks.get(config.network.kind).takesClasses) {
    throw new ArgumentError(
      `${source}: the network "${config.network.kind}" takes no classes: train without (--unconditional, or conditional: false in a ` +
        'configuration file).',
    );
  }
}

/** Whether each step evaluates the network with and without the class (classifier-free guidance). */
export function usesTwoEvaluations({ sampling, network }: Pick<RunConfig, 'sampling' | 'network'>): boolean {
  return sampling.guidance !== undefined && !networks.get(network.kind).facts(network).takesGuidance;
}
