/**
 * Conditions in training: at random, rows are shown without one, so that the network learns to do without, which is what
 * classifier-free guidance and samples that lack it need. Each condition has a stream of its own, so that dropping one more
 * changes nothing of the others. What guidance compares, in objectives that have it built in, follows from the same rows.
 */
import {
  ArgumentError,
  full,
  logicalOr,
  where,
  type RandomKey,
  type Symbolic,
  type Tensor,
} from '@meanflow/core';
import {
  droppedByGuidance,
  joinConditions,
  withoutConditions,
  type GivenConditions,
  type VelocityInputs,
  type VelocityNetwork,
} from '@meanflow/samplers';
import * as z from 'zod';
import { share } from '../schema.js';
import { droppedFromRaw } from './label-drop.js';
import { twice } from './shared.js';
import type { BatchShape, TrainingBatch, VelocityDraws } from './velocity-objective.js';

/** The probability that a row is without a condition, by its name; plain JSON. */
export const conditionDrop = z
  .record(z.string(), share)
  .optional()
  .describe('How often each optional condition is dropped; never by default.');
export type ConditionDrop = NonNullable<z.infer<typeof conditionDrop>>;

/** What the guidance that is built into an objective compares with; plain JSON. */
export const guidanceDrop = z
  .array(z.string())
  .readonly()
  .optional()
  .describe(
    'What guidance drops, `label` or conditions; by default all that are given and that the network can be without.',
  );

/** The conditions that are dropped at all. */
export function droppedConditions(drop: ConditionDrop = {}): readonly string[] {
  return Object.keys(drop).filter((name) => drop[name]! > 0);
}

/** The rows that are shown without each condition, of those that the batch has. */
export function drawDroppedConditions(
  key: RandomKey,
  batch: BatchShape,
  drop: ConditionDrop = {},
): Pick<VelocityDraws, 'droppedConditions'> {
  const rows = Object.entries(drop)
    .filter(([name, probability]) => probability > 0 && batch.conditions?.[name] !== undefined)
    .map(([name, probability]) => {
      const uniforms = key.fold('conditionDrop').fold(name).uniform([batch.x.shape[0]!]);
      return [name, droppedFromRaw({ probability }, uniforms)] as const;
    });
  return rows.length === 0 ? {} : { droppedConditions: Object.fromEntries(rows) };
}

/**
 * The conditions that the network is shown: nothing for one that declares none.
 *
 * @throws {ArgumentError} when one is to be dropped that the network does not declare, or always has
 */
export function shownConditions(
  { conditions: specs }: Pick<VelocityNetwork, 'conditions'>,
  { conditions = {}, present = {} }: Symbolic<TrainingBatch>,
  { droppedConditions = {} }: Symbolic<VelocityDraws>,
): GivenConditions {
  const wrong = Object.keys(droppedConditions).find((name) => specs?.[name]?.optional !== true);
  if (wrong !== undefined) {
    throw new ArgumentError(
      `conditionDrop: "${wrong}" is no optional condition of the network; it has ` +
        `${optionalNames(specs).join(', ') || 'none'}. Set optional on it in the network's configuration.`,
    );
  }
  if (specs === undefined) return {};
  const kept = Object.entries(droppedConditions).map(([name, dropped]) => [
    name,
    where(dropped, 0, present[name] ?? full(dropped.shape, 1)),
  ]);
  return { conditions, present: { ...present, ...(Object.fromEntries(kept) as typeof present) } };
}

function optionalNames(specs: VelocityNetwork['conditions'] = {}): string[] {
  return Object.keys(specs).filter((name) => specs[name]!.optional);
}

/** The label and the conditions of rows. */
export type RowInputs = GivenConditions & Pick<VelocityInputs, 'label'>;

/** What guidance compares. */
export interface GuidancePair {
  readonly given: RowInputs;
  /** The same without what guidance drops. */
  readonly bare: RowInputs;
  /** Rows that lack something of it already, bool `[batch]`: they are not guided. */
  readonly unguided: Tensor | undefined;
}

/**
 * @param names what guidance drops, `label` or conditions; by default all that are given and that the network can be without
 * @throws {ArgumentError} when there is nothing to drop
 */
export function guidancePair(
  objective: string,
  network: Pick<VelocityNetwork, 'classCount' | 'conditions'>,
  given: RowInputs,
  { dropped, droppedConditions = {} }: Symbolic<VelocityDraws>,
  names: readonly string[] | undefined,
): GuidancePair {
  const { label } = given;
  const { classCount, conditions = {} } = network;
  if (Object.keys(conditions).length === 0 && (classCount === undefined || label === undefined)) {
    throw new ArgumentError(
      `${objective}: guidance needs labels in the batch and a network with classCount; set both, or remove guidance.`,
    );
  }
  const compared = droppedByGuidance(network, given, names);
  const isBare = label !== undefined && classCount !== undefined && compared.includes('label');
  const nobody = isBare ? full(label.shape, classCount, 'int32') : label;
  const lacking = compared
    .map((name) => (name === 'label' ? dropped : droppedConditions[name]))
    .filter((rows) => rows !== undefined);
  return {
    given,
    bare: { ...withoutConditions(given, compared), label: nobody },
    unguided: lacking.length === 0 ? undefined : lacking.reduce((any, rows) => logicalOr(any, rows)),
  };
}

/** Two batches of the same rows as one. */
export function oneBatch(first: RowInputs, second: RowInputs): RowInputs {
  const label = first.label && second.label && twice(first.label, second.label);
  return { ...joinConditions(first, second), label };
}
