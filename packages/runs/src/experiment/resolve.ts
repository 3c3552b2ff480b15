/**
 * From what was asked for (a configuration file, options, settings by code) to one run with every default resolved. Settings are
 * layers: the defaults, the recipe of the data or a published one, what the run has of the model that it begins with, and on top what
 * was asked for. What decides the data and the recipe is looked at first; then all layers are laid over each other, once, and what
 * they come to is checked as a whole. Nothing is written and nothing computed before all of it is right.
 */
import { networks, objectives } from '@meanflow/models';
import { ArgumentError } from '@meanflow/core';
import { validate, type ValueSource } from '@meanflow/core/validation';
import type { Dataset, ImageLayout } from '@meanflow/data';
import { z } from 'zod';
import {
  imageSettingsSchema,
  latentSettingsSchema,
  readingSchema,
  tableSettingsSchema,
} from '../config/data-schema.js';
import { overlaid, type SettingsLayer } from '../config/layers.js';
import { isRecord, settled } from '../config/merge.js';
import { askedRunSchema, choiceFields, initSchema, type Recipe, type RunConfig } from '../config/schema.js';
import { expanded, shorthandFields } from '../config/shorthands.js';
import { checkPlugins, withPlugins } from '../plugins/recorded.js';
import { recipeFor } from '../recipes/index.js';
import { publishedRecipe } from '../recipes/published.js';
import { checkDigest, digestOf, withDigests } from './data-digest.js';
import { checkFit } from './fit.js';
import { formerReading } from './former-reading.js';
import { mergeRuns, withSteps } from './lengths.js';
import { applicableSettings, kindOf, openData } from './open-data.js';
import { inheritedSettings, openWarmStart, type WarmStart } from './warm-start.js';

/** A run that can begin. */
export interface ResolvedRun {
  readonly config: RunConfig;
  readonly dataset: Dataset;
  /** Where its settings were written, for messages. */
  readonly source?: string | ValueSource;
  /** Parameters that it begins with. */
  readonly init?: WarmStart;
}

/** What decides the recipe and the data, and so is looked at first; and what stands for other fields. */
const choiceSchema = () =>
  z.looseObject({
    ...choiceFields,
    ...shorthandFields,
    method: z.enum(objectives.names),
    conditional: z.boolean().optional(),
    network: z.looseObject({ kind: z.string().optional() }).optional(),
    init: initSchema.optional(),
  });

/** The fields that there are, whatever is in them: a misspelt one is told before data are opened, which may take long. */
const knownFields = () =>
  z.strictObject(
    Object.fromEntries(Object.keys(askedRunSchema().shape).map((name) => [name, z.unknown().optional()])),
  );
type Choice = z.infer<ReturnType<typeof choiceSchema>>;

const defaults: SettingsLayer = {
  record: {
    data: '8-gaussians',
    heldOut: 0.2,
    splitSeed: 0,
    method: 'meanflow',
    backend: 'ort:cpu',
    seed: 0,
    logEvery: 100,
    checkpointEvery: 2000,
  },
  source: 'The defaults',
};

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
 * @param asked over the recipe, such as a configuration file and the options of a command, the last on top
 * @throws {ArgumentError | DataError} when something is unknown, out of range or does not fit
 */
export async function resolveRun(
  asked: readonly SettingsLayer[],
  options: ResolveOptions = {},
): Promise<ResolvedRun> {
  const { choice, dataset, init, published, over } = await chooseData(asked, options);
  const recipe = options.recipe ?? recipeFor(choice.data, dataset);
  const isConditioned = (choice.conditional ?? recipe.conditional) || hasConditions(dataset);
  const layer = recipeLayer(recipe, choice.method, dataset.name);
  const own = isConditioned ? withoutCoupling(layer) : layer;
  const { record, source } = overlaidRun([defaults, ...exceptParts(own, published), ...published, ...over]);
  const run = validate(askedRunSchema(), settled(record), source);
  const found = withSteps(run, dataset, source);
  checkFit(found, dataset, source);
  // Of the data as it is: settings of an earlier run begin a new one.
  const { digest: _, reading: __, dataPaths: ___, plugins: ____, ...config } = found;
  const digest = await digestOf(choice.data, choice.images);
  const { reading } = dataset;
  const recorded = {
    ...(reading && { reading: readingSettings(reading) }),
    ...(digest === undefined ? {} : { digest }),
    ...(init && { init: init.init }),
    ...(found.task && { task: await withDigests(found.task) }),
  };
  return { config: withPlugins({ ...config, ...recorded }), dataset, source, ...(init && { init }) };
}

/** The data of a run, and what of it does not follow from them. */
export interface ChosenData {
  readonly choice: Choice;
  readonly dataset: Dataset;
  readonly init: WarmStart | undefined;
  /** The published recipe that it follows, where it names one. */
  readonly published: readonly SettingsLayer[];
  /** What lies over recipes: what it has of the model that it begins with, and what is asked for. */
  readonly over: readonly SettingsLayer[];
}

/** What decides the data, and the data. Options and errors are those of `resolveRun`. */
export async function chooseData(
  asked: readonly SettingsLayer[],
  { recipe, open = openData, notify }: ResolveOptions = {},
): Promise<ChosenData> {
  for (const { record, source } of asked) validate(knownFields(), record, source);
  const { init: begin } = choiceOf(asked);
  const init = begin && (await openWarmStart(begin, notify));
  const over = init === undefined ? asked : [await inheritedLayer(init, asked), ...asked];
  const { data, recipe: name } = choiceOf(over);
  const published = name === undefined ? [] : [publishedLayer(name, data)];
  const choice = choiceOf([...published, ...over]);
  const own = recipe && recipeLayer(recipe, choice.method, data).record;
  const kind = choice.network?.kind ?? (isRecord(own?.network) ? own.network.kind : undefined);
  const dataset = await open({
    ...choice,
    layout: layoutFor(kind),
    ...(networks.find(kind)?.isFlat && { latentsIfUnclear: 'nchw' }),
    conditional: choice.conditional ?? recipe?.conditional ?? true,
  });
  return { choice, dataset, init, published, over };
}

function choiceOf(layers: readonly SettingsLayer[]): Choice {
  const { record, source } = overlaid([defaults, ...layers], mergeRuns);
  return validate(choiceSchema(), settled(record), source);
}

/** All layers of a run as one, with the fields that their shorthands stand for. */
function overlaidRun(layers: readonly SettingsLayer[]): SettingsLayer {
  const { network } = overlaid(layers, mergeRuns).record;
  const kind = isRecord(network) ? network.kind : undefined;
  return overlaid(
    layers.map((layer) => expanded(layer, kind)),
    mergeRuns,
  );
}

/** What a run that begins so has of the model, where nothing else is asked for. */
async function inheritedLayer(init: WarmStart, asked: readonly SettingsLayer[]): Promise<SettingsLayer> {
  const { record } = overlaid(asked, mergeRuns);
  return { record: await inheritedSettings(init, record), source: `"${init.init.path}"` };
}

/** A published recipe, without what it says of data of another kind. */
function publishedLayer(name: string, data: string): SettingsLayer {
  const { images, latents, ...settings } = publishedRecipe(name);
  return {
    record: { ...settings, ...applicableSettings(kindOf(data), { images, latents }) },
    source: `The recipe ${name}`,
  };
}

/** The run of a method that a recipe describes; not checked yet. */
function recipeLayer(recipe: Recipe, method: string, data: string): SettingsLayer {
  const { methods, ...shared } = recipe;
  const own = methods[method];
  if (own === undefined) throw new ArgumentError(`The recipe has no method "${method}".`);
  const { objective, network, sampling } = own;
  return {
    record: mergeRuns({ ...shared, method, objective, sampling }, network && { network }),
    source: `The recipe of ${data}`,
  };
}

function hasConditions({ conditions = {} }: Dataset): boolean {
  return Object.keys(conditions).length > 0;
}

/** A recipe for rows that are told apart by classes or conditions: only those that are not can be paired with each other's noise. */
function withoutCoupling({ record, source }: SettingsLayer): SettingsLayer {
  if (!isRecord(record.objective)) return { record, source };
  const { coupling: _, ...objective } = record.objective;
  return { record: { ...record, objective }, source };
}

/** A recipe without the parts that a published one has: those mean nothing to each other, and so are not laid over each other. */
function exceptParts(
  { record, source }: SettingsLayer,
  published: readonly SettingsLayer[],
): SettingsLayer[] {
  const parts = published.flatMap((layer) => Object.keys(layer.record));
  const units = parts.includes('epochs') ? ['steps'] : [];
  const rest = Object.entries(record).filter(([name]) => ![...parts, ...units].includes(name));
  return [{ record: Object.fromEntries(rest), source }];
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

/** How a network takes images. @param kind of a network, checked or not */
function layoutFor(kind: unknown): ImageLayout {
  return networks.find(kind)?.layout ?? 'nhwc';
}
