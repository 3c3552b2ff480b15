/**
 * The schema of everything that a run is made of, as plain JSON: what recipes hold, configuration files change and a run's
 * `config.json` records. Objects are strict, so that a misspelt key is an error and not a silent default. Ranges that an
 * objective or a network checks itself are left to it. What registries decide (the kinds of networks and objectives) is looked up
 * when a schema is asked for.
 */
import { networkSettingsSchema, objectives, objectiveSchema } from '@meanflow/models';
import { DataError } from '@meanflow/core';
import { validate } from '@meanflow/core/validation';
import { solvers } from '@meanflow/samplers';
import { z } from 'zod';
import {
  imageSettingsSchema,
  latentSettingsSchema,
  readingSchema,
  tableSettingsSchema,
  taskSchema,
} from './data-schema.js';
import { RECORDED } from './fields.js';
import { MOST_EVALUATIONS } from '../names.js';
import { checkPlugins, pluginRecordSchema } from '../plugins/recorded.js';
import { sha256 } from './digest.js';
import { count, share } from './numbers.js';
import { shorthandFields } from './shorthands.js';
import { askedOptimizerSchema, averageName, emaSchema, optimizerSchema } from './optimizer-schema.js';

const seed = z.int().nonnegative();

const sampling = () =>
  z.strictObject({
    solver: z.enum(solvers.names),
    /** Evaluations of the network for each sample, to be evaluated at and shown. */
    nfe: z.array(count.max(MOST_EVALUATIONS)).min(1).max(1000),
    /** Decay or half-life of the average that is sampled with; `null` for the parameters themselves. */
    ema: averageName.nullable(),
    /** ω, and the times between which it applies. */
    guidance: z
      .strictObject({ scale: z.number().nonnegative(), start: share.optional(), end: share.optional() })
      .optional(),
  });

const evaluation = z.strictObject({
  /** How many samples are judged, against as many of the data as there are. */
  samples: z.int().min(2),
  metrics: z.array(z.string()).min(1),
  /** How the classifier is trained that metrics on features take; see `@meanflow/classifier` for the defaults. */
  classifier: z
    .strictObject({ steps: count.optional(), batch: count.optional(), seed: seed.optional() })
    .optional(),
});

const shared = () => ({
  /** Whether the network is told the class. */
  conditional: z.boolean(),
  steps: count,
  batch: count,
  network: networkSettingsSchema(),
  optimizer: optimizerSchema,
  ema: emaSchema,
  evaluation,
});

/** What is particular to a method within a recipe. */
const methodRecipe = () =>
  z.strictObject({
    objective: objectiveSchema(),
    /** Changes to the recipe's network, such as a velocity head. */
    network: z.record(z.string(), z.unknown()).optional(),
    sampling: sampling(),
  });

/** How to train on one data set: the same network, steps and batches for every method. */
export function recipeSchema() {
  const methods = objectives.names.map((name) => [name, methodRecipe()] as const);
  return z.strictObject({ ...shared(), methods: z.strictObject(Object.fromEntries(methods)) });
}
export type Recipe = z.infer<ReturnType<typeof recipeSchema>>;

/** What a run begins with in place of random parameters. */
export const initSchema = z.strictObject({
  /** A run's folder, a checkpoint or a model file. */
  path: z.string().min(1),
  /** Which of a run's averages, by its name; `null` for none of them; by default the one that the run is sampled with. */
  average: averageName.nullable().optional(),
  /** SHA-256 of the parameters, recorded by the run itself. */
  digest: sha256.optional().meta(RECORDED),
});
export type Init = z.infer<typeof initSchema>;

/** What decides the recipe and the data. */
export const choiceFields = {
  /** A data set's name, or the path of a CSV file, of a folder or file of images, or of latents. */
  data: z.string().min(1),
  /** The label column of a CSV file: its name, or its number counted from 1. */
  label: z.string().min(1).optional(),
  /** How a CSV file is read. */
  table: tableSettingsSchema.optional(),
  /** What is done to images, and to latents, that are given by path. */
  images: imageSettingsSchema.optional(),
  latents: latentSettingsSchema.optional(),
  /** What is given of each row, for which the rest is drawn; nothing by default. */
  task: taskSchema.optional(),
  /** The published recipe that it follows where nothing else is said. */
  recipe: z.string().optional(),
  /** Share of the rows held out, and the seed that chooses them; for data sets that have rows. */
  heldOut: z.number().gt(0).lt(1),
  splitSeed: seed,
};

const run = () => ({
  ...choiceFields,
  method: z.enum(objectives.names),
  backend: z.string().min(1),
  seed,
  ...shared(),
  objective: objectiveSchema(),
  sampling: sampling(),
  /** Metrics are logged, and checkpoints written, every so many steps. */
  logEvery: count,
  checkpointEvery: count,
  /** Updates in one run of the device; by default as the backend is best used. A run is not interrupted. */
  stepsPerRun: count.max(1000).optional(),
  /** Parts in which a batch is taken, one after the other, in the memory of one; the same updates, to rounding. */
  accumulate: count.optional(),
  /** How the data were read when the run began, recorded by the run itself: nothing is guessed again. */
  reading: readingSchema.optional().meta(RECORDED),
  /** What to do where a step is not finite, or the error has grown beyond all that was; to stop, by default. */
  onDivergence: z.enum(['stop', 'skip', 'back']).optional(),
  /** Where data without a name lay when the run began; recorded by the run itself. */
  dataPaths: z
    .strictObject({ absolute: z.string().min(1), fromRun: z.string().min(1) })
    .optional()
    .meta(RECORDED),
  /** SHA-256 of a file, or of the files of a folder, when the run began, recorded by the run itself. */
  digest: sha256.optional().meta(RECORDED),
  /** Where its parameters come from, of which it keeps what it needs as its first checkpoint. */
  init: initSchema.optional(),
  /** The plug-ins whose entries it uses, recorded by the run itself; never loaded because they stand here. */
  plugins: z.array(pluginRecordSchema).min(1).optional().meta(RECORDED),
});

/** One run, every default resolved: a run's `config.json`. */
export function runConfigSchema() {
  return z.strictObject(run());
}

/** A run as it is asked for: lengths may be in passes over the data, and some fields have a shorter name. */
export function askedRunSchema() {
  return z.strictObject({
    ...run(),
    steps: count.optional(),
    epochs: z.number().positive().optional(),
    optimizer: askedOptimizerSchema,
    ...shorthandFields,
  });
}
export type AskedRun = z.infer<ReturnType<typeof askedRunSchema>>;

/** Settings of which any may be left out, at every depth. */
type Some<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: Some<T[K]> | undefined }
    : T;

/**
 * What of a run is not as its data's recipe says: any fields of its `config.json`, lengths in steps or in passes (`epochs`), the
 * network's size by `width` and `depth`, and the averages that are kept by `average`.
 */
export type RunSettings = Some<AskedRun>;

/**
 * A run as a file asks for it, checked and typed.
 *
 * @param source the file, for messages
 * @throws {ArgumentError} naming the fields that are wrong
 */
export function checkAskedRun(value: unknown, source: string): AskedRun {
  return validate(askedRunSchema(), value, source);
}

export type RunConfig = z.infer<ReturnType<typeof runConfigSchema>>;

/**
 * A run's configuration as it was saved, checked and typed.
 *
 * @param source where, for messages
 * @throws {ArgumentError} when it uses entries of a plug-in that is not loaded
 * @throws {DataError} naming the fields that are wrong
 */
export function checkSavedRun(value: unknown, source: string): RunConfig {
  checkPlugins(value, source);
  return validate(runConfigSchema(), value, source, DataError);
}
export type SamplingSettings = RunConfig['sampling'];

/** A list that is not empty and names nothing twice. */
function distinct<T extends string | number>(element: z.ZodType<T>) {
  return z
    .array(element)
    .min(1)
    .refine((values) => new Set(values).size === values.length, 'expected each of them once.');
}

/** The file given to `meanflow compare --config`. */
export function comparisonConfigSchema() {
  return z.strictObject({
    data: distinct(z.string().min(1)),
    label: z.string().min(1).optional(),
    /** Of the data that they apply to. */
    table: tableSettingsSchema.optional(),
    images: imageSettingsSchema.optional(),
    latents: latentSettingsSchema.optional(),
    /** What is given of each row of every data set. */
    task: taskSchema.optional(),
    methods: distinct(z.enum(objectives.names)),
    seeds: distinct(seed),
    backend: z.string().min(1),
    /** Changes to recipes, by data set. */
    recipes: z.record(z.string(), z.record(z.string(), z.unknown())),
  });
}
export type ComparisonConfig = z.infer<ReturnType<typeof comparisonConfigSchema>>;
