/**
 * The schema of everything that a run is made of, as plain JSON: what recipes hold, configuration files change and a run's
 * `config.json` records. Objects are strict, so that a misspelt key is an error and not a silent default. Ranges that an
 * objective or a network checks itself are left to it. What registries decide (the kinds of networks and objectives) is looked up
 * when a schema is asked for.
 */
import { networkSettingsSchema, objectives, objectiveSchema } from '@meanflow/models';
import { DataError, precisions } from '@meanflow/core';
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
import { byteSize, count, share } from './numbers.js';
import { shorthandFields } from './shorthands.js';
import { askedOptimizerSchema, averageName, emaSchema, optimizerSchema } from './optimizer-schema.js';

const seed = z.int().nonnegative();

const sampling = () =>
  z.strictObject({
    solver: z.enum(solvers.names).describe('How the path from noise to data is followed.'),
    nfe: z
      .array(count.max(MOST_EVALUATIONS))
      .min(1)
      .max(1000)
      .describe('Evaluations of the network for each sample, to be evaluated at and shown.'),
    ema: averageName
      .nullable()
      .describe(
        'Decay or half-life of the average that is sampled with; `null` for the parameters themselves.',
      ),
    guidance: z
      .strictObject({ scale: z.number().nonnegative(), start: share.optional(), end: share.optional() })
      .optional()
      .describe('Guidance, where the network is trained for it: ω, and the times between which it applies.'),
  });

const evaluation = z.strictObject({
  samples: z.int().min(2).describe('How many samples are judged, against as many of the data as there are.'),
  metrics: z.array(z.string()).min(1).describe('What samples are measured by.'),
  classifier: z
    .strictObject({ steps: count.optional(), batch: count.optional(), seed: seed.optional() })
    .optional()
    .describe('How the classifier is trained that metrics on features take.'),
});

const shared = () => ({
  conditional: z.boolean().describe('Whether the network is told the class.'),
  steps: count.describe('Updates of the parameters.'),
  batch: count.describe('Rows in a batch.'),
  network: networkSettingsSchema().describe('The network; its `kind` decides which fields it has.'),
  optimizer: optimizerSchema.describe('How a gradient becomes an update.'),
  ema: emaSchema.describe('Averages of the parameters that are kept while training.'),
  evaluation: evaluation.describe('What its samples are judged by.'),
});

/** What is particular to a method within a recipe. */
const methodRecipe = () =>
  z.strictObject({
    objective: objectiveSchema(),
    network: z
      .record(z.string(), z.unknown())
      .optional()
      .describe("Changes to the recipe's network, such as a velocity head."),
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
  path: z.string().min(1).describe("A run's folder, a checkpoint or a model file."),
  average: averageName
    .nullable()
    .optional()
    .describe(
      "Which of a run's averages, by its name; `null` for none of them; by default the one that the run is sampled with.",
    ),
  /** SHA-256 of the parameters, recorded by the run itself. */
  digest: sha256.optional().meta(RECORDED),
});
export type Init = z.infer<typeof initSchema>;

/** What decides the recipe and the data. */
export const choiceFields = {
  data: z
    .string()
    .min(1)
    .describe("A data set's name, or the path of a CSV file, of a folder or file of images, or of latents."),
  label: z
    .string()
    .min(1)
    .optional()
    .describe('The label column of a CSV file: its name, or its number counted from 1.'),
  table: tableSettingsSchema.optional().describe('How a CSV file is read.'),
  images: imageSettingsSchema.optional().describe('What is done to images that are given by path.'),
  latents: latentSettingsSchema
    .optional()
    .describe('How latents, or pictures, in an array of a file are read.'),
  task: taskSchema
    .optional()
    .describe('What is given of each row, for which the rest is drawn; nothing by default.'),
  recipe: z.string().optional().describe('The published recipe that it follows where nothing else is said.'),
  heldOut: z.number().gt(0).lt(1).describe('Share of the rows held out, of data sets that have rows.'),
  splitSeed: seed.describe('Chooses the rows that are held out.'),
};

const run = () => ({
  ...choiceFields,
  method: z.enum(objectives.names).describe('What it learns.'),
  backend: z.string().min(1).describe('What it computes on.'),
  seed: seed.describe('Decides everything random; the same seed makes the same model.'),
  ...shared(),
  objective: objectiveSchema().describe('What is minimised; its `kind` is the method.'),
  sampling: sampling().describe('How it is sampled where nothing else is asked for.'),
  logEvery: count.describe('Steps between two rows of the log.'),
  checkpointEvery: count.describe('Steps between two checkpoints.'),
  /** Of runs from when a run of the device made several updates; nothing looks at it. */
  stepsPerRun: z.unknown().optional().meta(RECORDED),
  accumulate: count
    .optional()
    .describe(
      'Parts in which a batch is taken, one after the other, in the memory of one; the same updates, to rounding.',
    ),
  memory: byteSize
    .optional()
    .describe(
      'What a step may take, such as "4GB": where it would take more, blocks of the network are computed again in the backward pass, as few as needed.',
    ),
  precision: z
    .enum(precisions)
    .optional()
    .describe(
      'What products are computed in while training; float32 by default. In float16 parameters, optimizer and averages stay float32, ' +
        'and so do norms, softmax and losses; the loss is scaled as gradients allow.',
    ),
  /** How the data were read when the run began, recorded by the run itself: nothing is guessed again. */
  reading: readingSchema.optional().meta(RECORDED),
  onDivergence: z
    .enum(['stop', 'skip', 'back'])
    .optional()
    .describe(
      'What to do where a step is not finite, or the error has grown beyond all that was; to stop, by default.',
    ),
  /** Where data without a name lay when the run began; recorded by the run itself. */
  dataPaths: z
    .strictObject({ absolute: z.string().min(1), fromRun: z.string().min(1) })
    .optional()
    .meta(RECORDED),
  /** SHA-256 of a file, or of the files of a folder, when the run began, recorded by the run itself. */
  digest: sha256.optional().meta(RECORDED),
  init: initSchema
    .optional()
    .describe('Where its parameters come from, of which it keeps what it needs as its first checkpoint.'),
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
    steps: count.optional().describe('Updates of the parameters.'),
    epochs: z.number().positive().optional().describe('The same in passes over the data.'),
    optimizer: askedOptimizerSchema.describe('How a gradient becomes an update.'),
    stepsPerRun: z
      .undefined('it is gone, every update is a run of the device: leave it out')
      .optional()
      .meta(RECORDED),
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
    table: tableSettingsSchema.optional().describe('Of the data that they apply to.'),
    images: imageSettingsSchema.optional(),
    latents: latentSettingsSchema.optional(),
    task: taskSchema.optional().describe('What is given of each row of every data set.'),
    methods: distinct(z.enum(objectives.names)),
    seeds: distinct(seed),
    backend: z.string().min(1),
    recipes: z
      .record(z.string(), z.record(z.string(), z.unknown()))
      .describe('Changes to recipes, by data set.'),
  });
}
export type ComparisonConfig = z.infer<ReturnType<typeof comparisonConfigSchema>>;
