/**
 * The schema of everything that a run is made of, as plain JSON: what recipes hold, configuration files change and a run's
 * `config.json` records. Objects are strict, so that a misspelt key is an error and not a silent default. Ranges that an
 * objective or a network checks itself are left to it.
 */
import { z } from 'zod';

/** The methods by name, in the order in which they are compared. */
export const methodNames = ['flow-matching', 'meanflow', 'improved-meanflow'] as const;
export type MethodName = (typeof methodNames)[number];

/** The solvers by name; `average-velocity` is the one of MeanFlow. */
export const solverNames = [
  'average-velocity',
  'euler',
  'heun',
  'midpoint',
  'rk4',
  'dormand-prince',
] as const;
export type SolverName = (typeof solverNames)[number];

const count = z.int().positive();
const share = z.number().min(0).max(1);
const seed = z.int().nonnegative();

const scalarEmbedding = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('sinusoidal'),
    dimension: count,
    scale: z.number().positive().optional(),
    maxPeriod: z.number().gt(1).optional(),
  }),
  z.strictObject({ kind: z.literal('fourier'), frequencies: count }),
]);

const activation = z.enum(['silu', 'gelu', 'gelu-tanh', 'tanh', 'relu']);
const initialisation = z.enum(['pytorch', 'xavier']);
const velocityHead = z.strictObject({ depth: z.int().nonnegative() });

const times = z.enum(['t-and-h', 't-and-r', 'h', 't']);

const conditioning = {
  embedding: scalarEmbedding.optional(),
  times: times.optional(),
  classWidth: count.optional(),
  guidance: z.boolean().optional(),
};

const mlp = z.strictObject({
  kind: z.literal('mlp'),
  width: count,
  depth: count,
  activation: activation.optional(),
  join: z.enum(['concatenate', 'add']).optional(),
  velocityHead: velocityHead.optional(),
  initialisation: initialisation.optional(),
  zeroOutput: z.boolean().optional(),
  ...conditioning,
});

const residualMlp = z.strictObject({
  kind: z.literal('residual-mlp'),
  width: count,
  depth: count,
  expansion: count.optional(),
  activation: activation.optional(),
  normalisation: z.enum(['layer-norm', 'rms-norm', 'none']).optional(),
  conditioning: z.enum(['film', 'additive']).optional(),
  join: z.enum(['add', 'concatenate']).optional(),
  velocityHead: velocityHead.optional(),
  initialisation: initialisation.optional(),
  zeroOutput: z.boolean().optional(),
  ...conditioning,
});

const dit = z.strictObject({
  kind: z.literal('dit'),
  patchSize: count,
  width: count,
  depth: count,
  heads: count,
  mlpRatio: z.number().positive().optional(),
  velocityHead: velocityHead.optional(),
  embedding: scalarEmbedding.optional(),
  times: times.optional(),
  guidance: z.boolean().optional(),
});

/** A network without what the data decides: the shape of a sample and the number of classes. */
const network = z.discriminatedUnion('kind', [mlp, residualMlp, dit]);

const timeDistribution = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('uniform'), min: share.optional(), max: share.optional() }),
  z.strictObject({ kind: z.literal('logit-normal'), mean: z.number(), std: z.number().nonnegative() }),
]);

const intervals = z.strictObject({
  t: timeDistribution,
  r: timeDistribution.optional(),
  order: z.enum(['sort', 'clamp']).optional(),
  equalShare: share,
  equalRows: z.enum(['first', 'coin']).optional(),
  fullShare: share.optional(),
});

const weight = z.strictObject({ power: z.number().nonnegative(), epsilon: z.number().positive() });
const labelDrop = z.strictObject({ probability: share, rows: z.enum(['first', 'any']).optional() });

const objective = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('flow-matching'),
    times: timeDistribution.optional(),
    weight: weight.optional(),
    labelDrop: labelDrop.optional(),
  }),
  z.strictObject({
    kind: z.literal('meanflow'),
    intervals: intervals.optional(),
    weight: weight.optional(),
    clipInterval: z.boolean().optional(),
    guidance: z
      .strictObject({
        omega: z.number().nonnegative(),
        kappa: z.number().min(0).lt(1).optional(),
        start: share.optional(),
        end: share.optional(),
      })
      .optional(),
    labelDrop: labelDrop.optional(),
  }),
  z.strictObject({
    kind: z.literal('improved-meanflow'),
    intervals: intervals.optional(),
    weight: weight.optional(),
    tangent: z.enum(['velocity-head', 'boundary']).optional(),
    guidance: z
      .strictObject({ maxScale: z.number().gt(1).optional(), power: z.number().optional() })
      .optional(),
    labelDrop: labelDrop.optional(),
  }),
]);

/** AdamW, or Adam where `weightDecay` is 0; the rate warms up in a line from 0 and then follows its schedule. */
const optimizer = z.strictObject({
  learningRate: z.number().positive(),
  schedule: z.enum(['constant', 'cosine', 'linear']),
  /** Share of the learning rate that is left at the last step, for `cosine` and `linear`. */
  finalShare: share.optional(),
  warmUpSteps: z.int().nonnegative(),
  beta1: z.number().min(0).lt(1),
  beta2: z.number().min(0).lt(1),
  epsilon: z.number().positive(),
  weightDecay: z.number().nonnegative(),
  /** Largest global norm of the gradients; absent for no clipping. */
  clipNorm: z.number().positive().optional(),
});

const decay = z.number().min(0).lt(1);
const ema = z.strictObject({
  decays: z.array(decay).min(1),
  every: count.optional(),
  rampUp: z.boolean().optional(),
});

const sampling = z.strictObject({
  solver: z.enum(solverNames),
  /** Evaluations of the network for each sample, to be evaluated at and shown. */
  nfe: z.array(count).min(1),
  /** Decay of the average that is sampled with, one of `ema.decays`; `null` for the parameters themselves. */
  ema: decay.nullable(),
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

const shared = {
  /** Whether the network is told the class. */
  conditional: z.boolean(),
  steps: count,
  batch: count,
  network,
  optimizer,
  ema,
  evaluation,
};

/** What is particular to a method within a recipe. */
const methodRecipe = z.strictObject({
  objective,
  /** Changes to the recipe's network, such as a velocity head. */
  network: z.record(z.string(), z.unknown()).optional(),
  sampling,
});

/** How to train on one data set: the same network, steps and batches for every method. */
export const recipeSchema = z.strictObject({
  ...shared,
  methods: z.strictObject({
    'flow-matching': methodRecipe,
    meanflow: methodRecipe,
    'improved-meanflow': methodRecipe,
  }),
});
export type Recipe = z.infer<typeof recipeSchema>;

/** One run, every default resolved: a run's `config.json`. */
export const runConfigSchema = z.strictObject({
  /** A data set's name, or the path of a CSV file. */
  data: z.string().min(1),
  /** The label column of a CSV file: its name, or its number counted from 1. */
  label: z.string().min(1).optional(),
  /** Share of the rows held out, and the seed that chooses them; for data sets that have rows. */
  heldOut: z.number().gt(0).lt(1),
  splitSeed: seed,
  method: z.enum(methodNames),
  backend: z.string().min(1),
  seed,
  ...shared,
  objective,
  sampling,
  /** Metrics are logged, and checkpoints written, every so many steps. */
  logEvery: count,
  checkpointEvery: count,
  /** Updates in one run of the device; by default as the backend is best used. A run is not interrupted. */
  stepsPerRun: count.optional(),
  /** SHA-256 of a CSV file when the run began, recorded by the run itself. */
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'expected a SHA-256, 64 hexadecimal digits.')
    .optional(),
});
export type RunConfig = z.infer<typeof runConfigSchema>;
export type NetworkSettings = RunConfig['network'];
export type OptimizerSettings = RunConfig['optimizer'];
export type SamplingSettings = RunConfig['sampling'];

/** A list that is not empty and names nothing twice. */
function distinct<T extends string | number>(element: z.ZodType<T>) {
  return z
    .array(element)
    .min(1)
    .refine((values) => new Set(values).size === values.length, 'expected each of them once.');
}

/** The file given to `meanflow compare --config`. */
export const comparisonConfigSchema = z.strictObject({
  data: distinct(z.string().min(1)),
  label: z.string().min(1).optional(),
  methods: distinct(z.enum(methodNames)),
  seeds: distinct(seed),
  backend: z.string().min(1),
  /** Changes to recipes, by data set. */
  recipes: z.record(z.string(), z.record(z.string(), z.unknown())),
});
export type ComparisonConfig = z.infer<typeof comparisonConfigSchema>;
