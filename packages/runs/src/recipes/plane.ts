/** The recipe for distributions of the plane: a small MLP, unconditional. */
import type { Recipe } from '../config/schema.js';
import { methodsOf } from './methods.js';

/**
 * Two uniform times in order, and a quarter of the rows with r = t. In the plane every interval matters alike: the
 * published logit-normal times (presets of `@meanflow/samplers`) leave the longest ones, which one step needs, rare.
 */
const intervals = { t: { kind: 'uniform' }, equalShare: 0.25 } as const;

/**
 * The adaptive power trades sharp modes (1, the published value) for even ones (0): at 1 the modes fill unevenly, below
 * 0.5 samples lie between them.
 */
const weight = { power: 0.6, epsilon: 0.01 };

export const planeRecipe = (): Recipe => ({
  conditional: false,
  steps: 6000,
  batch: 512,
  network: {
    kind: 'mlp',
    width: 128,
    depth: 3,
    activation: 'silu',
    // One half period over [0, 1] is enough in the plane.
    embedding: { kind: 'fourier', frequencies: 1 },
    times: 't-and-h',
  },
  optimizer: {
    learningRate: 4e-3,
    schedule: 'cosine',
    warmUpSteps: 200,
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 1e-8,
    weightDecay: 0,
  },
  ema: { decays: [0.99], rampUp: true },
  evaluation: {
    // Many, because how evenly the modes are hit by chance alone moves sliced W2.
    samples: 20_000,
    metrics: ['sliced-wasserstein-2', 'mmd2', 'off-support', 'mode-coverage'],
  },
  methods: methodsOf({ intervals, weight, ema: 0.99, many: 64 }),
});
