/**
 * Conditions inside a graph: what a network reads of those that it declares, and what is left of them when some are dropped. An
 * absent condition is zeros with a presence of 0, so that zeros which are there are another thing.
 */
import {
  ArgumentError,
  concat,
  full,
  greater,
  where,
  type ConditionSpecs,
  type Tensor,
} from '@meanflow/core';
import { perRow } from './path.js';
import type { VelocityInputs, VelocityNetwork } from './velocity-network.js';

/** The conditions of a batch, as `VelocityInputs` has them. */
export type GivenConditions = Pick<VelocityInputs, 'conditions' | 'present'>;

/** A condition as a network reads it. */
export interface RowCondition {
  readonly name: string;
  /** float32 `[batch, ...shape]`, zeros where it is absent. */
  readonly value: Tensor;
  /** float32 `[batch]`, 1 or 0; for optional conditions only. */
  readonly presence: Tensor | undefined;
}

/**
 * Every declared condition in order, whether it was given or not.
 *
 * @throws {ArgumentError} when one is given that is not declared, or one is missing that is not optional
 */
export function rowConditions(
  specs: ConditionSpecs | undefined,
  { conditions = {}, present = {} }: GivenConditions,
  batch: number,
): RowCondition[] {
  const unknown = Object.keys(conditions).find((name) => specs === undefined || !Object.hasOwn(specs, name));
  if (unknown !== undefined) {
    throw new ArgumentError(`The condition "${unknown}" was given to a network that does not declare it.`);
  }
  return Object.entries(specs ?? {}).map(([name, { shape, optional = false }]) => {
    const given = conditions[name];
    if (!optional) {
      if (given !== undefined) return { name, value: given, presence: undefined };
      throw new ArgumentError(
        `The condition "${name}" is missing, and the network was not made to do without.`,
      );
    }
    if (given === undefined) return { name, value: full([batch, ...shape], 0), presence: full([batch], 0) };
    const presence = present[name];
    if (presence === undefined) return { name, value: given, presence: full([batch], 1) };
    return { name, value: where(perRow(greater(presence, 0), given), given, 0), presence };
  });
}

/**
 * What classifier-free guidance compares with nothing: of the label and the conditions that are given, those in `names`, all
 * that a network can be without by default.
 *
 * @throws {ArgumentError} when there is none, or a name is not given or not optional
 */
export function droppedByGuidance(
  { classCount, conditions: specs = {} }: Pick<VelocityNetwork, 'classCount' | 'conditions'>,
  given: { readonly label?: unknown; readonly conditions?: Readonly<Record<string, unknown>> | undefined },
  names?: readonly string[],
): readonly string[] {
  const possible = [
    ...(classCount !== undefined && given.label !== undefined ? ['label'] : []),
    ...Object.keys(given.conditions ?? {}).filter((name) => specs[name]?.optional === true),
  ];
  const wrong = names?.find((name) => !possible.includes(name));
  if (possible.length > 0 && names?.length !== 0 && wrong === undefined) return names ?? possible;
  const declared = Object.keys(specs);
  throw new ArgumentError(
    declared.length === 0
      ? 'Classifier-free guidance combines a class with no class: it needs a network with classes, and labels.'
      : `Classifier-free guidance combines what is given with nothing given: ${wrong === undefined ? 'it needs' : `"${wrong}" is not`} ` +
          `a label of a network with classes, or an optional condition that is given (of ${declared.join(', ')}).`,
  );
}

/** The same without the conditions of `names`: zeros that no row has. */
export function withoutConditions(
  { conditions = {}, present = {} }: GivenConditions,
  names: readonly string[],
): GivenConditions {
  const dropped = Object.entries(conditions).filter(([name]) => names.includes(name));
  return {
    conditions: {
      ...conditions,
      ...Object.fromEntries(dropped.map(([name, { shape }]) => [name, full(shape, 0)])),
    },
    present: {
      ...present,
      ...Object.fromEntries(dropped.map(([name, { shape }]) => [name, full([shape[0]!], 0)])),
    },
  };
}

/** The conditions of two batches in one, which have the same ones. */
export function joinConditions(
  { conditions = {}, present = {} }: GivenConditions,
  second: GivenConditions,
): GivenConditions {
  const whole = ([name, { shape }]: [string, Tensor]) => [name, full([shape[0]!], 1)] as const;
  const partly = Object.entries(conditions).filter(
    ([name]) => name in present || name in (second.present ?? {}),
  );
  const everywhere = Object.fromEntries(partly.map(whole));
  const both = (
    first: Readonly<Record<string, Tensor>>,
    other: Readonly<Record<string, Tensor>> = {},
  ): Readonly<Record<string, Tensor>> =>
    Object.fromEntries(Object.entries(first).map(([name, tensor]) => [name, concat([tensor, other[name]!])]));
  return {
    conditions: both(conditions, second.conditions),
    present: both({ ...everywhere, ...present }, { ...everywhere, ...second.present }),
  };
}
