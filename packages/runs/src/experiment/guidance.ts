/** The guidance that a model is sampled with: its own, or what is asked for. */
import { ArgumentError } from '@meanflow/core';
import type { Generator } from './model.js';

/** Guidance as asked for; what is undefined is the model's own. */
export interface GuidanceChoice {
  readonly guidance?: number | undefined;
  readonly guidanceInterval?: readonly [number, number] | undefined;
}

/**
 * A model with the guidance that options ask for, and otherwise its own at this number of evaluations.
 *
 * @throws {ArgumentError} when the model was not made for guidance when sampling
 */
export function withGuidance<T extends Generator>(
  model: T,
  nfe: number | undefined,
  { guidance: scale, guidanceInterval: interval }: GuidanceChoice,
): T {
  const own = (nfe === undefined ? undefined : model.guidanceAt?.[nfe]) ?? model.sampling.guidance;
  if (scale === undefined && interval === undefined) {
    return own === undefined ? model : { ...model, sampling: { ...model.sampling, guidance: own } };
  }
  if (model.guidance === undefined) {
    throw new ArgumentError(
      'The model was not trained for guidance when sampling: improved and pixel MeanFlow with guidance conditions are, and flow ' +
        'matching with label drop.',
    );
  }
  const chosen = scale ?? own?.scale;
  if (chosen === undefined) throw new ArgumentError('--guidance-interval needs a scale: give --guidance.');
  const times = interval === undefined ? {} : { start: interval[0], end: interval[1] };
  return { ...model, sampling: { ...model.sampling, guidance: { ...own, scale: chosen, ...times } } };
}
