/** The optimizer and the averages of a published recipe. */
import { checkOptions } from '@meanflow/core/validation';
import type { NetworkConfig } from '@meanflow/models';
import {
  matrixPaths,
  recipeSteps,
  type AdamSettings,
  type MuonSettings,
  type PublishedRecipe,
} from '@meanflow/models/published';
import { adam, adamW } from './adam.js';
import { ema, type Ema } from './ema.js';
import type { GradientTransform } from './gradient-transform.js';
import { muon } from './muon.js';
import { partition } from './partition.js';
import { warmUpSchedule, type ScheduleLike } from './schedules.js';

/**
 * @param samples in the data, for lengths in epochs
 * @throws {ArgumentError} when a setting is out of range, or a network for Muon is none that was published
 */
export function recipeOptimizer(recipe: PublishedRecipe, samples: number): GradientTransform {
  const { optimizer } = recipe;
  if (optimizer.kind === 'adam') return adamOf(optimizer, recipe, samples);
  const { kind: _, ...settings } = optimizer;
  return muonWithAdam(recipe.network, settings);
}

function adamOf(
  { learningRate, warmUp, beta1, beta2, epsilon, weightDecay }: AdamSettings,
  { batch }: PublishedRecipe,
  samples: number,
): GradientTransform {
  const steps = warmUp === undefined ? 0 : recipeSteps(warmUp, samples, batch);
  const schedule = warmUpSchedule(learningRate, steps, warmUp?.from);
  return adamW({ learningRate: schedule, beta1, beta2, epsilon, weightDecay });
}

/** Muon with Adam as published, but that the rate may follow a schedule. */
export interface MuonWithAdamOptions extends Omit<MuonSettings, 'kind' | 'learningRate'> {
  readonly learningRate: ScheduleLike;
}

/**
 * Muon for the parameters that are matrices in the published code, where tokens, positions and classes have a batch axis, and
 * Adam with Nesterov momentum for the others.
 *
 * @throws {ArgumentError} when a setting is out of range, or nobody published networks of this kind
 */
export function muonWithAdam(network: NetworkConfig, options: MuonWithAdamOptions): GradientTransform {
  checkOptions<MuonWithAdamOptions>('muonWithAdam', options, { learningRate: true, beta: true, adam: true });
  const { learningRate, beta, adam: settings } = options;
  checkOptions<MuonWithAdamOptions['adam']>('muonWithAdam: adam', settings, {
    beta1: true,
    beta2: true,
    epsilon: true,
  });
  const { beta1, beta2, epsilon } = settings;
  const matrices = new Set(matrixPaths(network));
  return partition((path) => (matrices.has(path) ? 'muon' : 'adam'), {
    muon: muon({ learningRate, beta }),
    adam: adam({ learningRate, beta1, beta2, epsilon, nesterov: true }),
  });
}

/** The averages; those of half-lives by their samples. Decays are as published from the first update on. */
export function recipeEma({ ema: settings, batch }: PublishedRecipe): Ema {
  if ('decay' in settings) return ema({ decays: [settings.decay], every: settings.every, rampUp: false });
  const { halfLives, rampUpShare } = settings;
  return ema({ halfLives: { samples: halfLives, batch, rampUpShare } });
}
