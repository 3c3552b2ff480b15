/**
 * Which set of weights to take. An average samples better than the parameters themselves, so it is what is taken where a
 * checkpoint has one; where it has several and nothing says which, the choice is the user's.
 */
import { ArgumentError, DataError } from '@meanflow/core';
import { isAverage, isBesideAverage, type WeightSet } from './weights.js';

/** The name that asks for the parameters themselves. */
export const NO_AVERAGE = 'none';

/** How published states call their one average, or the first of several. */
const MAIN = ['ema_params', 'params_ema', 'net_ema', 'ema', 'ema_model', 'model_ema', 'state_dict_ema'];

/**
 * The averages that the authors of pixel MeanFlow evaluate their checkpoints with, of the several in each (half-lives in
 * thousands of images; github.com/Lyy-iiis/pMF, configs/eval_config.yml).
 */
const recommended: Readonly<Record<string, string>> = {
  'pmf-dit-b-16': 'ema_params/2000',
  'pmf-dit-b-32': 'ema_params/2000',
  'pmf-dit-l-16': 'ema_params/1000',
  'pmf-dit-l-32': 'ema_params/2000',
};

/**
 * One of several complete sets.
 *
 * @param average as the user asks: keys of the set, such as `ema_params` or `net_ema1`, or `none`
 * @param model name of the preset, if it is one
 * @throws {ArgumentError} when there is no such set, or more than one fits
 */
export function chooseWeights(
  sets: readonly WeightSet[],
  average: string | undefined,
  model: string | undefined,
  source: string,
): WeightSet {
  const averages = sets.filter(isAverage);
  const others = sets.filter((set) => !isAverage(set));
  const outside = others.filter((set) => !isBesideAverage(set));
  const plain = outside.length > 0 ? outside : others;
  if (average === NO_AVERAGE) return one(plain, `${source} has no parameters that are no average`, source);
  if (average !== undefined) {
    const fitting = sets.filter(({ label }) => hasKeys(label, average));
    const exact = fitting.filter(({ label }) => label === average);
    return one(exact.length > 0 ? exact : fitting, `${source} has no weights "${average}"`, source, sets);
  }
  if (averages.length <= 1) return one(averages.length === 1 ? averages : plain, '', source);
  const advised = model === undefined ? undefined : recommended[model.replace(/-train$/, '')];
  const main = averages.filter(({ label }) =>
    advised === undefined ? MAIN.some((name) => label.split(/[/.]/).includes(name)) : hasKeys(label, advised),
  );
  return one(main.length > 0 ? main : averages, '', source);
}

/** Whether keys stand in a label, one after the other. */
function hasKeys(label: string, keys: string): boolean {
  const bounded = (text: string): string => `/${text.replaceAll('.', '/')}/`;
  return bounded(label).includes(bounded(keys));
}

function one(
  sets: readonly WeightSet[],
  none: string,
  source: string,
  all: readonly WeightSet[] = sets,
): WeightSet {
  if (sets.length === 1) return sets[0]!;
  const list = (some: readonly WeightSet[]): string => some.map(({ label }) => label).join(', ');
  if (sets.length > 1) {
    throw new ArgumentError(
      `${source} has several sets of weights: ${list(sets)}. Say which (--ema on the command line).`,
    );
  }
  const known = all.length === 0 ? '' : ` It has ${list(all)}.`;
  if (none === '') throw new DataError(`${source} has no weights.`);
  throw new ArgumentError(`${none}.${known}`);
}
