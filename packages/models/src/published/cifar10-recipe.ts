/**
 * How MeanFlow was trained on CIFAR-10, as plain JSON with the source beside each value. "Paper" is arXiv 2505.13447, appendix
 * A; "code" is the PyTorch code that its authors published later (py-meanflow), whose sampler of intervals v1 replaces the
 * paper's v0. Values of the code were read there. Those with "paper" alone, or with what the code has instead, could not be
 * compared with the paper's text again.
 */
import type { MeanFlowConfig } from '../objectives/meanflow.js';
import { meanFlowPresets } from '../objectives/presets.js';
import type { SongUNetConfig } from '../networks/song-unet-plan.js';
import type { PublishedRecipe } from './recipe.js';

const network: SongUNetConfig = {
  kind: 'song-unet',
  featureShape: [3, 32, 32], // paper: pixels, without an autoencoder
  channels: 128, // code; 55,929,347 parameters in all, paper: 55M
  channelMultipliers: [2, 2, 2], // code
  blocks: 4, // code
  attentionResolutions: [16], // code
  timeMultiplier: 2, // code
  resampleFilter: [1, 3, 3, 1], // code
  dropout: 0.2, // paper; code
  // Flip 1, scale 1, stretch 2, shift 2. Paper: the augmentation of Karras et al. (2022) without vertical flips and rotation.
  augmentWidth: 6, // code
};

type Recipe = PublishedRecipe<SongUNetConfig, MeanFlowConfig>;

const shared: Omit<Recipe, 'objective'> = {
  network,
  optimizer: {
    kind: 'adam', // paper; code
    learningRate: 6e-4, // paper; code
    beta1: 0.9, // paper; code
    beta2: 0.999, // paper; code
    epsilon: 1e-8, // the default of torch.optim.Adam
    weightDecay: 0, // code
    warmUp: {
      steps: 10_000, // paper; code: 200 passes of 48 batches, 9,600
      from: 1e-8, // code
    },
  },
  ema: {
    decay: 0.99995, // paper; code, beside 0.9999 and 0.9996
    every: 16, // code
  },
  batch: 1024, // paper; code: 128 on each of 8 devices
  length: { steps: 800_000 }, // paper; code: 16,000 passes of 48 batches, 768,000
};

/** By the sampler of intervals; see `intervalPresets` for its distributions and `meanFlowPresets` for the loss. */
export const cifar10Recipes = {
  /** As in the paper: both times from one distribution. */
  v0: { ...shared, objective: meanFlowPresets['cifar10-v0'] },
  /** As in the code: t and r each from its own. */
  v1: { ...shared, objective: meanFlowPresets['cifar10-v1'] },
} as const satisfies Readonly<Record<string, Recipe>>;
