/**
 * References: the parameter trees that a loss needs beside the one that is trained. Averages are part of the run's state, and
 * the run's own averages where those are the same; the averages of every stage are kept from the first step on, so that any
 * stage goes on from any state. Frozen parameters are inputs of the step, on the device once, and no part of the state.
 */
import {
  ArgumentError,
  type AverageReference,
  type FrozenReference,
  type HostArray,
  type Reference,
  type Tensor,
  type Tree,
} from '@meanflow/core';
import { averagesOf, decayOf, emaKey, type Ema, type EmaState } from './ema.js';
import type { Stage } from './stages.js';

/** The averages that losses look at. */
export interface ReferenceAverages {
  /** Those that the run does not keep anyhow. */
  readonly own: Ema;
  /** Where one is: among the run's averages (`ema`) or among these (`references`), and its key there. */
  placeOf(reference: AverageReference): readonly [part: 'ema' | 'references', key: string];
}

/**
 * @param ema the run's averages
 * @throws {ArgumentError} when a reference is neither an average nor a frozen network
 */
export function referenceAverages(stages: readonly Stage[], ema: Ema | undefined): ReferenceAverages {
  const own = new Map<string, (updates: number) => number>();
  const keyOf = ({ average, rampUp = true }: AverageReference): string =>
    rampUp ? emaKey(average) : `${emaKey(average)}-constant`;
  for (const { name, references } of stages) {
    for (const [key, reference] of Object.entries(references)) {
      if (reference === undefined || isFrozen(reference)) continue;
      const { average, rampUp } = reference;
      if (!(average >= 0 && average < 1)) {
        throw new ArgumentError(
          `The reference "${key}" of "${name}" is { average: decay } with a decay in [0, 1) or { frozen: network, params }, ` +
            `got ${average === undefined ? `one of ${Object.keys(reference).join(', ') || 'nothing'}` : String(average)}.`,
        );
      }
      if (ema?.keyOf(reference) === undefined) own.set(keyOf(reference), decayOf(average, rampUp));
    }
  }
  return {
    own: averagesOf(own),
    placeOf(reference) {
      const shared = ema?.keyOf(reference);
      return shared === undefined ? ['references', keyOf(reference)] : ['ema', shared];
    },
  };
}

/** Whether a reference is a network that is not trained. */
export function isFrozen(reference: Reference): reference is FrozenReference<unknown, unknown> {
  return 'frozen' in reference && 'params' in reference;
}

/** The frozen parameters of a stage, by the names of its references. */
export function frozenOf({
  references,
}: Pick<Stage, 'references'>): Readonly<Record<string, Tree<HostArray>>> {
  return Object.fromEntries(
    Object.entries(references).flatMap(([name, reference]) =>
      reference !== undefined && isFrozen(reference) ? [[name, reference.params as Tree<HostArray>]] : [],
    ),
  );
}

/** The parameters of every reference of a stage, traced, by name. */
export function referenceParameters(
  { references }: Pick<Stage, 'references'>,
  { placeOf }: ReferenceAverages,
  state: Readonly<Record<'ema' | 'references', EmaState<Tree<Tensor>>>>,
  frozen: Readonly<Record<string, Tree<Tensor>>>,
): Record<string, Tree<Tensor>> {
  return Object.fromEntries(
    Object.entries(references).flatMap(([name, reference]) => {
      if (reference === undefined) return [];
      if (isFrozen(reference)) return [[name, frozen[name]]];
      const [part, key] = placeOf(reference);
      return [[name, state[part][key]]];
    }),
  );
}
