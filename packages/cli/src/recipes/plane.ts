/** The recipe for distributions of the plane: a small MLP, unconditional. */
import type { Recipe } from '../config/schema.js';

export const planeRecipe: Recipe = {
  conditional: false,
  steps: 10_000,
  batch: 512,
  network: {
    kind: 'mlp',
    width: 128,
    depth: 3,
    activation: 'silu',
    embedding: { kind: 'fourier', frequencies: 4 },
    times: 't-and-h',
  },
  optimizer: {
    learningRate: 1e-3,
    schedule: 'constant',
    warmUpSteps: 0,
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 1e-8,
    weightDecay: 0,
  },
  ema: { decays: [0.999] },
  evaluation: {
    samples: 5000,
    metrics: ['sliced-wasserstein-2', 'mmd2', 'off-support', 'mode-coverage'],
  },
  methods: {
    'flow-matching': {
      objective: { kind: 'flow-matching', times: { kind: 'logit-normal', mean: -0.4, std: 1 } },
      sampling: { solver: 'euler', nfe: [1, 2, 4, 64], ema: 0.999 },
    },
    meanflow: {
      objective: {
        kind: 'meanflow',
        intervals: { t: { kind: 'logit-normal', mean: -0.4, std: 1 }, equalShare: 0.25 },
        weight: { power: 1, epsilon: 0.01 },
      },
      sampling: { solver: 'average-velocity', nfe: [1, 2, 4], ema: 0.999 },
    },
    'improved-meanflow': {
      objective: {
        kind: 'improved-meanflow',
        intervals: { t: { kind: 'logit-normal', mean: -0.4, std: 1 }, equalShare: 0.25 },
        weight: { power: 1, epsilon: 0.01 },
        tangent: 'velocity-head',
      },
      network: { velocityHead: { depth: 1 } },
      sampling: { solver: 'average-velocity', nfe: [1, 2, 4], ema: 0.999 },
    },
  },
};
