/**
 * What a network is conditioned on beside z: times, guidance scale and interval, class. Each becomes
 * features; together they are either joined as they are or brought to one vector per row.
 */
import { add, ArgumentError, concat, div, full, sub, type Symbolic, type Tensor } from '@meanflow/core';
import type { VelocityInputs } from '@meanflow/samplers';
import * as z from 'zod';
import { activations, type ActivationName } from '../layers/activation.js';
import {
  classEmbeddingParameters,
  embedClass,
  type ClassEmbeddingParameters,
} from '../layers/class-embedding.js';
import { embedderParameters, embedFeatures, type EmbedderParameters } from '../layers/embedder.js';
import type { ConditionPlan } from '../layers/given-conditions.js';
import type { LinearInitialisation } from '../layers/linear.js';
import type { Described } from '../layers/parameters.js';
import { embeddingWidth, embedScalar, scalarEmbedding } from '../layers/scalar-embedding.js';
import { count } from './fields.js';

/** Which times a network sees: `h = t − r`. Improved MeanFlow sees h alone. */
export const timeInputs = z.enum(['t-and-h', 't-and-r', 'h', 't']);
export type TimeInputs = z.infer<typeof timeInputs>;

/** The fields of a network's configuration that say what it is conditioned on, beside its classes. */
export const conditioningFields = {
  embedding: scalarEmbedding
    .default({ kind: 'sinusoidal', dimension: 64, scale: 10 })
    .describe('Features of each time.'),
  times: timeInputs.default('t-and-h').describe('Which times it sees; h = t − r.'),
  guidance: z
    .boolean()
    .default(false)
    .describe('Take ω (as 1 − 1/ω), tMin and tMax as conditions, as improved MeanFlow does.'),
};
export const classWidth = count
  .optional()
  .describe(
    "Columns of the class table where features are concatenated; those of one time's features by default.",
  );

/** Conditioning, with every default filled in. */
export type ConditioningConfig = z.output<z.ZodObject<typeof conditioningFields>> & {
  readonly classCount?: number | undefined;
  readonly classWidth?: number | undefined;
};

/** Numbers of conditions that are features of the network's own; see `planConditions`. */
type GivenWidth = Pick<ConditionPlan, 'features'>;
const nothingGiven: GivenWidth = { features: 0 };

export type ConditioningParameters = {
  readonly label?: ClassEmbeddingParameters | undefined;
  /** None when features are used as they are; one for all of them; or one for each. */
  readonly embedders?: readonly EmbedderParameters[] | undefined;
  /** Of the conditions that are given, where features are summed. */
  readonly given?: EmbedderParameters | undefined;
};

/**
 * How features become the network's condition. `features`: as they are, one after the other. `concatenate`:
 * one after the other, through a two-layer map. `add`: each through a map of its own, and summed with the
 * class row (as DiT does).
 */
export type ConditionForm =
  | { readonly kind: 'features' }
  | { readonly kind: 'concatenate' | 'add'; readonly width: number; readonly activation: ActivationName };

/** Features of the conditions, in their order: times, guidance conditions, class. */
export function conditionFeatures(
  config: ConditioningConfig,
): readonly { readonly name: string; readonly size: number }[] {
  const width = embeddingWidth(config.embedding);
  const { times, classCount, guidance } = config;
  const scalars = [...times.split('-and-'), ...(guidance ? ['omega', 'tMin', 'tMax'] : [])];
  return [
    ...scalars.map((name) => ({ name, size: width })),
    ...(classCount === undefined ? [] : [{ name: 'label', size: config.classWidth ?? width }]),
  ];
}

/** Widths of the features: of each number, and of the class. */
function featureWidths(config: ConditioningConfig): { scalars: number[]; label: number } {
  const features = conditionFeatures(config);
  const sizes = (isLabel: boolean) =>
    features.filter(({ name }) => (name === 'label') === isLabel).map(({ size }) => size);
  return { scalars: sizes(false), label: sizes(true)[0] ?? 0 };
}

/** Columns of the condition. */
export function conditionWidth(
  config: ConditioningConfig,
  form: ConditionForm,
  given: GivenWidth = nothingGiven,
): number {
  if (form.kind !== 'features') return form.width;
  return conditionFeatures(config).reduce((total, { size }) => total + size, given.features);
}

/** What turns the conditions of a row into `conditionWidth(config, form, given)` numbers. */
export function conditioningParameters(
  config: ConditioningConfig,
  form: ConditionForm,
  initialisation: LinearInitialisation,
  given: GivenWidth = nothingGiven,
): Described<ConditioningParameters> {
  const { scalars, label } = featureWidths(config);
  const total = scalars.reduce((sum, width) => sum + width, label + given.features);
  return {
    ...(config.classCount === undefined
      ? {}
      : {
          label: classEmbeddingParameters(
            config.classCount,
            form.kind === 'add' ? form.width : label,
            // The defaults of torch.nn.Embedding, and of DiT.
            initialisation === 'pytorch' ? 1 : 0.02,
          ),
        }),
    ...(form.kind === 'features'
      ? {}
      : {
          embedders: (form.kind === 'add' ? scalars : [total]).map((inputs) =>
            embedderParameters(inputs, form.width, initialisation),
          ),
        }),
    ...(form.kind === 'add' && given.features > 0
      ? { given: embedderParameters(given.features, form.width, initialisation) }
      : {}),
  };
}

/**
 * The condition of each row, float32 `[batch, conditionWidth(config, form)]`.
 *
 * @param given features of what is given beside, `[batch, features]`
 * @throws {ArgumentError} when labels or guidance conditions are given to a network that takes none
 */
export function condition(
  config: ConditioningConfig,
  form: ConditionForm,
  params: Symbolic<ConditioningParameters>,
  inputs: VelocityInputs,
  given?: Tensor,
): Tensor {
  const batch = inputs.z.shape[0]!;
  const features = scalarConditions(config, inputs).map((x) => embedScalar(config.embedding, x));
  checkLabel(config.classCount, inputs.label);
  const label = params.label && embedClass(params.label, inputs.label, batch);
  const embed = (i: number, x: Tensor): Tensor => {
    if (form.kind === 'features' || params.embedders === undefined) return x;
    return embedFeatures(params.embedders[i]!, x, activations[form.activation]);
  };
  if (form.kind === 'add') {
    const terms = [...features.map((x, i) => embed(i, x)), ...(label ? [label] : [])];
    if (given && params.given) {
      terms.push(embedFeatures(params.given, given, activations[form.activation]));
    }
    return terms.reduce((total, term) => add(total, term));
  }
  return embed(0, concat([...features, ...(label ? [label] : []), ...(given ? [given] : [])], 1));
}

/** @throws {ArgumentError} when labels are given to a network without classes */
export function checkLabel(classCount: number | undefined, label: Tensor | undefined): void {
  if (classCount === undefined && label !== undefined) {
    throw new ArgumentError('Labels were given to a network without classes; set classCount.');
  }
}

/**
 * The numbers that are embedded, in order: the times, then, with `guidance`, 1 − 1/ω, tMin and tMax; each float32
 * `[batch]`.
 *
 * @throws {ArgumentError} when guidance conditions are given to a network that takes none
 */
export function scalarConditions(
  config: Pick<ConditioningConfig, 'times' | 'guidance'>,
  inputs: VelocityInputs,
): Tensor[] {
  const { z, t, h, omega, tMin, tMax } = inputs;
  const rows = [z.shape[0]!];
  const times = {
    't-and-h': () => [t, h],
    't-and-r': () => [t, sub(t, h)],
    h: () => [h],
    t: () => [t],
  }[config.times]();
  if (config.guidance) {
    const strength = omega === undefined ? full(rows, 0) : sub(1, div(1, omega));
    return [...times, strength, tMin ?? full(rows, 0), tMax ?? full(rows, 1)];
  }
  if (omega !== undefined || tMin !== undefined || tMax !== undefined) {
    throw new ArgumentError(
      'Guidance conditions were given to a network that takes none; set guidance: true.',
    );
  }
  return times;
}
