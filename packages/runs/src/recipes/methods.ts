/** The methods within a recipe: every objective there is, on the same intervals, weighting and average. */
import { objectives, type ObjectiveSettings } from '@meanflow/models';
import type { Recipe } from '../config/schema.js';

interface MethodSettings extends ObjectiveSettings {
  /** Decay of the average that is sampled with. */
  readonly ema: number;
  /** Evaluations of the network that methods which integrate the velocity are shown at, beside the few that all are. */
  readonly many: number;
}

const FEW = [1, 2, 4];

export function methodsOf({ ema, many, ...settings }: MethodSettings): Recipe['methods'] {
  const methods = [...objectives].map((entry) => {
    const nfe = entry.solver === 'average-velocity' ? FEW : [...FEW, many];
    const objective = { ...entry.inRecipe(settings) };
    return [entry.name, { objective, sampling: { solver: entry.solver, nfe, ema } }] as const;
  });
  return Object.fromEntries(methods);
}
