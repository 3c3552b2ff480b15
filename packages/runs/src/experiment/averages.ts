/**
 * The averages of a run's parameters: as its configuration asks for them, which of them is sampled with, and how much of it is still
 * the network that nothing had been learnt by.
 */
import { ArgumentError } from '@meanflow/core';
import { ema, emaKey, initialShare, type Ema } from '@meanflow/training';
import { averageText, averagesOf } from '../config/optimizer-schema.js';
import type { RunConfig } from '../config/schema.js';
import { countText } from '../report/numbers.js';

/** The averages that a configuration asks for. One that says nothing of ramping up is of before that was usual, and does not. */
export function emaOf({ ema: settings, batch }: Pick<RunConfig, 'ema' | 'batch'>): Ema {
  const { decays, halfLives, every, rampUp = false, rampUpShare } = settings;
  return ema({
    ...(decays && { decays }),
    ...(halfLives && { halfLives: { samples: halfLives, batch, ...(rampUpShare && { rampUpShare }) } }),
    ...(every && { every }),
    rampUp,
  });
}

/** What `--average` takes for the parameters themselves. */
const NONE = 'none';

/**
 * The average to sample with, by its name in the configuration; null for the parameters themselves.
 *
 * @param wanted a decay or half-life, or "none"; the run's own choice by default
 * @throws {ArgumentError} when the run keeps no such average
 */
export function chosenAverage({ ema: settings, sampling }: RunConfig, wanted?: string): number | null {
  if (wanted === undefined) return sampling.ema;
  if (wanted === NONE) return null;
  const kept = averagesOf(settings);
  const found = kept.find((average) => wanted.trim() !== '' && average === Number(wanted));
  if (found !== undefined) return found;
  throw new ArgumentError(
    `--average: the run keeps no average "${wanted}". Known are ${[...kept.map(emaKey), NONE].join(', ')}.`,
  );
}

/** From this share of the initial network on, samples suffer from it. */
const NOTICEABLE = 0.01;

/** What is to be said of an average that is mostly noise still: undefined where it is not. */
export function averageNote(
  config: Pick<RunConfig, 'ema' | 'batch' | 'init'>,
  step: number,
  average: number | null,
): string | undefined {
  // A run that began with learnt parameters has them in its averages, not noise.
  if (average === null || config.init !== undefined) return undefined;
  const share = initialShare(emaOf(config), emaKey(average), step);
  if (share < NOTICEABLE) return undefined;
  const remedy = config.ema.rampUp ? '' : ', as does ema.rampUp in the configuration of a run to come';
  return (
    `The average that is sampled with (${averageText(average)}) is still ${(100 * share).toFixed(share < 0.1 ? 1 : 0)} % the initial ` +
    `network after ${countText(step)} steps, so samples look like noise: --average none samples with the parameters themselves` +
    `${remedy}.`
  );
}
