/** The form of a published training recipe: everything but the data, as plain JSON. */
import type { GuidanceCondition } from '@meanflow/samplers';
import type { NetworkConfig } from '../networks/registry.js';
import type { ObjectiveConfig } from '../objectives/registry.js';

/** Updates, or passes over the data. */
export type RecipeLength = { readonly steps: number } | { readonly epochs: number };

/** Adam, or AdamW where weights decay. */
export interface AdamSettings {
  readonly kind: 'adam';
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** The rate rises in a line from `from` to `learningRate`, and stays; at once where this is absent. */
  readonly warmUp?: RecipeLength & { readonly from: number };
}

/** Muon for matrices, and Adam with Nesterov momentum for the rest, at the same rate. */
export interface MuonSettings {
  readonly kind: 'muon';
  readonly learningRate: number;
  /** Decay of Muon's momentum. */
  readonly beta: number;
  readonly adam: { readonly beta1: number; readonly beta2: number; readonly epsilon: number };
}

/** One average of a decay, that acts on every so many updates with the decay to that power. */
export interface DecaySettings {
  readonly decay: number;
  readonly every: number;
}

/** Averages with half-lives in samples, none longer than a share of the samples seen. */
export interface HalfLifeSettings {
  readonly halfLives: readonly number[];
  readonly rampUpShare: number;
  /** The one that was evaluated. */
  readonly evaluated: number;
}

/**
 * A term that published training adds to the loss, on features of pretrained networks that compare the predicted image with
 * the data. Nothing here computes it.
 */
export interface PerceptualSettings {
  /** Weight of LPIPS. */
  readonly lpips: number;
  /** Weight of the squared distance between features of a ConvNeXt classifier. */
  readonly convnext: number;
  /** Applied to rows with t below this. */
  readonly largestTime: number;
}

/** A training recipe. */
export interface PublishedRecipe<
  Network extends NetworkConfig = NetworkConfig,
  Objective extends ObjectiveConfig = ObjectiveConfig,
> {
  readonly network: Network;
  readonly objective: Objective;
  readonly optimizer: AdamSettings | MuonSettings;
  readonly ema: DecaySettings | HalfLifeSettings;
  /** Rows in a batch. */
  readonly batch: number;
  /** How long; absent where it was not published. */
  readonly length?: RecipeLength;
  readonly perceptual?: PerceptualSettings;
  /** Guidance at evaluation in one step, for networks that take it as a condition. */
  readonly evaluation?: GuidanceCondition;
}

/**
 * A length in updates. The last, incomplete batch of every pass is left out, as in the published code.
 *
 * @param samples in the data; 1,281,167 for ImageNet
 */
export function recipeSteps(length: RecipeLength, samples: number, batch: number): number {
  return 'steps' in length ? length.steps : Math.round(length.epochs * Math.floor(samples / batch));
}
