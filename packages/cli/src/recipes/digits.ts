/** The recipe for the handwritten digits: a residual MLP on 64 pixels, conditional on the class. */
import type { Recipe } from '../config/schema.js';

export const digitsRecipe: Recipe = {
  conditional: true,
  steps: 4000,
  batch: 128,
  network: {
    kind: 'residual-mlp',
    width: 256,
    depth: 4,
    activation: 'silu',
    embedding: { kind: 'sinusoidal', dimension: 64, scale: 10 },
    times: 't-and-h',
  },
  optimizer: {
    learningRate: 1e-3,
    schedule: 'cosine',
    finalShare: 0.05,
    warmUpSteps: 200,
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 1e-8,
    weightDecay: 0,
  },
  ema: { decays: [0.995] },
  evaluation: {
    samples: 2000,
    metrics: ['frechet', 'neighbour-label-agreement', 'neighbour-distance-ratio'],
  },
  methods: {
    'flow-matching': {
      objective: { kind: 'flow-matching', times: { kind: 'logit-normal', mean: -0.4, std: 1 } },
      sampling: { solver: 'euler', nfe: [1, 2, 4, 50], ema: 0.995 },
    },
    meanflow: {
      objective: {
        kind: 'meanflow',
        intervals: { t: { kind: 'logit-normal', mean: -0.4, std: 1 }, equalShare: 0.5 },
        weight: { power: 1, epsilon: 0.01 },
      },
      sampling: { solver: 'average-velocity', nfe: [1, 2, 4], ema: 0.995 },
    },
    'improved-meanflow': {
      objective: {
        kind: 'improved-meanflow',
        intervals: { t: { kind: 'logit-normal', mean: -0.4, std: 1 }, equalShare: 0.5 },
        weight: { power: 1, epsilon: 0.01 },
        tangent: 'boundary',
      },
      sampling: { solver: 'average-velocity', nfe: [1, 2, 4], ema: 0.995 },
    },
  },
};
