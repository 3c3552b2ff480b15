/** The recipe for the handwritten digits: a residual MLP on 64 pixels, conditional on the class. */
import type { Recipe } from '../config/schema.js';
import { methodsOf } from './methods.js';

/** Two uniform times in order; half of the rows have r = t, from which the velocity along which u is differentiated is learnt. */
const intervals = { t: { kind: 'uniform' }, equalShare: 0.5 } as const;

/** Nearly the plain squared error; a power of 0.4 did a little worse at 1, 2 and 4 NFE (one seed). */
const weight = { power: 0.25, epsilon: 0.01 };

export const digitsRecipe = (): Recipe => ({
  conditional: true,
  steps: 3000,
  batch: 256,
  network: {
    kind: 'residual-mlp',
    width: 128,
    depth: 3,
    activation: 'silu',
    embedding: { kind: 'fourier', frequencies: 1 },
    times: 't-and-h',
  },
  optimizer: {
    learningRate: 4e-3,
    schedule: 'cosine',
    warmUpSteps: 100,
    beta1: 0.9,
    beta2: 0.95,
    epsilon: 1e-8,
    weightDecay: 0,
    clipNorm: 1,
  },
  ema: { decays: [0.99], rampUp: true },
  evaluation: {
    samples: 2000,
    metrics: ['frechet', 'neighbour-label-agreement', 'neighbour-distance-ratio'],
  },
  methods: methodsOf({ intervals, weight, ema: 0.99, many: 50 }),
});
