/**
 * How conditions beside the label enter a network. What has places (an image, a mask of an image) stands beside z: as channels
 * of its pixels, or as numbers beside its numbers. A vector becomes features of the network's condition, and so does a sequence where
 * there are no tokens; with tokens it becomes some. The presence of an optional condition goes along with it, as one more
 * channel or feature, so that zero is not absence.
 */
import {
  ArgumentError,
  broadcastTo,
  concat,
  reshape,
  sizeOf,
  type ConditionSpec,
  type ConditionSpecs,
  type Shape,
  type Symbolic,
  type Tensor,
} from '@meanflow/core';
import { checkConditionSpecs } from '@meanflow/core/validation';
import { rowConditions, type RowCondition, type VelocityInputs } from '@meanflow/samplers';
import { linear, linearParameters, type LinearInitialisation, type LinearParameters } from './linear.js';
import { ParameterSpec, type Described, type Parameter } from './parameters.js';

/** What a network makes of conditions. */
export interface PlanOptions {
  /** Images of the network; absent where it takes samples as rows of numbers. */
  readonly image?: { readonly featureShape: Shape; readonly channelAxis: 0 | 2 };
  /** Whether sequences become tokens; else they are features. */
  readonly tokens?: boolean;
}

/** Conditions of a batch as they enter; each undefined where there is none. */
export interface EnteringConditions {
  /** To stand beside z: `[batch, height, width, channels]` or `[batch, channels, height, width]`; `[batch, numbers]` without images. */
  readonly beside: Tensor | undefined;
  /** float32 `[batch, features]` */
  readonly features: Tensor | undefined;
  /** float32 `[batch, n, d]` for each sequence, by name. */
  readonly sequences: Readonly<Record<string, Tensor>>;
}

/** Sizes, and the way from inputs to what enters. */
export interface ConditionPlan {
  /** Channels beside those of z, or numbers. */
  readonly channels: number;
  readonly features: number;
  /** `[n, d]` of each sequence that becomes tokens, the presence counted in d. */
  readonly sequences: Readonly<Record<string, readonly [number, number]>>;
  read(inputs: VelocityInputs): EnteringConditions;
}

/**
 * The plan for a network's conditions.
 *
 * @throws {ArgumentError} when one is not well declared, or an image has other sides than the network's
 */
export function planConditions(
  specs: ConditionSpecs = {},
  { image, tokens = false }: PlanOptions = {},
): ConditionPlan {
  checkConditionSpecs('conditions', specs);
  const spatial = Object.entries(specs).filter(([, spec]) => hasPlaces(spec));
  if (image !== undefined) for (const [name, spec] of spatial) checkSides(name, spec, image);
  const sequences = Object.entries(specs).filter(([, { kind }]) => tokens && kind === 'sequence');
  const isFeature = ([name, spec]: [string, ConditionSpec]) =>
    !hasPlaces(spec) && !sequences.some(([sequence]) => sequence === name);
  const flat = Object.entries(specs).filter(isFeature);
  const widthOf = ([, { shape, optional }]: [string, ConditionSpec]) => sizeOf(shape) + (optional ? 1 : 0);
  const total = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0);
  return {
    channels: total(
      image === undefined
        ? spatial.map(widthOf)
        : spatial.map(([, { shape, optional }]) => shape[image.channelAxis]! + (optional ? 1 : 0)),
    ),
    features: total(flat.map(widthOf)),
    sequences: Object.fromEntries(
      sequences.map(([name, { shape, optional }]) => [
        name,
        [shape[0]!, shape[1]! + (optional ? 1 : 0)] as const,
      ]),
    ),
    read(inputs) {
      const batch = inputs.z.shape[0]!;
      const found = new Map(rowConditions(specs, inputs, batch).map((each) => [each.name, each]));
      const rowsOf = (entries: readonly (readonly [string, ConditionSpec])[]) =>
        entries.map(([name]) => found.get(name)!);
      const axis = image === undefined ? 1 : image.channelAxis + 1;
      return {
        beside: joined(rowsOf(spatial), axis, image === undefined),
        features: joined(rowsOf(flat), 1, true),
        sequences: Object.fromEntries(
          rowsOf(sequences).map((each) => [each.name, joined([each], 2, false)!]),
        ),
      };
    },
  };
}

/** z with what stands beside it. */
export function withBeside(z: Tensor, beside: Tensor | undefined, axis: number): Tensor {
  return beside === undefined ? z : concat([z, beside], axis);
}

/** Tokens of a sequence. */
export type SequenceTokenParameters = LinearParameters & {
  /** One for each place, `[n, width]`. */
  readonly places: Parameter;
};

/**
 * For each sequence `[n, d]` a linear layer `d → width` and a row of `width` numbers for each of its n places.
 *
 * @param sequences as a plan has them
 */
export function sequenceTokenParameters(
  sequences: ConditionPlan['sequences'],
  width: number,
  initialisation: LinearInitialisation,
  places: ParameterSpec['initial'],
): Described<Readonly<Record<string, SequenceTokenParameters>>> {
  return Object.fromEntries(
    Object.entries(sequences).map(([name, [length, numbers]]) => [
      name,
      {
        ...linearParameters(numbers, width, initialisation),
        places: new ParameterSpec([length, width], places),
      },
    ]),
  );
}

/** The tokens of all sequences, one sequence after the other: `[batch, n, width]` each. */
export function sequenceTokens(
  params: Symbolic<Readonly<Record<string, SequenceTokenParameters>>> | undefined,
  { sequences }: EnteringConditions,
): Tensor[] {
  return Object.entries(sequences).map(([name, sequence]) => {
    const { places, ...map } = params![name]!;
    return linear(map, sequence).add(places);
  });
}

/** How many tokens sequences become. */
export function sequenceLength(sequences: ConditionPlan['sequences']): number {
  return Object.values(sequences).reduce((sum, [length]) => sum + length, 0);
}

/** A mask of another rank is one of features. */
function hasPlaces({ kind, shape }: ConditionSpec): boolean {
  return kind === 'image' || (kind === 'mask' && shape.length === 3);
}

function checkSides(
  name: string,
  { kind, shape }: ConditionSpec,
  { featureShape, channelAxis }: NonNullable<PlanOptions['image']>,
): void {
  const sides = (of: Shape) => of.filter((_, axis) => axis !== channelAxis).join(' × ');
  if (sides(shape) === sides(featureShape)) return;
  const order = channelAxis === 0 ? '[channels, height, width]' : '[height, width, channels]';
  throw new ArgumentError(
    `conditions.${name}: the ${kind} is [${shape.join(', ')}], and the network's images are [${featureShape.join(', ')}], ` +
      `${order}: it has to have the same height and width.`,
  );
}

/** Values and presences along an axis; undefined for none. */
function joined(rows: readonly RowCondition[], axis: number, isFlat: boolean): Tensor | undefined {
  const parts = rows.flatMap(({ value, presence }) => {
    const [batch = 0] = value.shape;
    const x = isFlat ? reshape(value, [batch, -1]) : value;
    if (presence === undefined) return [x];
    const shape = x.shape.map((size, i) => (i === axis ? 1 : size));
    return [x, broadcastTo(reshape(presence, [batch, ...shape.slice(1).map(() => 1)]), shape)];
  });
  return parts.length === 0 ? undefined : concat(parts, axis);
}
