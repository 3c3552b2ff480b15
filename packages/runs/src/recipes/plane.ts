/** The recipe for distributions of the plane: a small MLP, unconditional. */
import type { Recipe } from '../config/schema.js';
import { methodsOf } from './methods.js';

/**
 * Two uniform times in order, a quarter of the rows with r = t, and an eighth with the whole interval, which one step needs. The
 * published logit-normal times (presets of `@meanflow/samplers`) leave the longest intervals rare.
 */
const intervals = { t: { kind: 'uniform' }, equalShare: 0.25, fullShare: 0.125 } as const;

/**
 * The adaptive power trades sharp modes (1, the published value) for even ones (0). With noise that is paired with data little
 * is left to be uneven.
 */
const weight = { power: 0.5, epsilon: 0.1 };

export const planeRecipe = (): Recipe => ({
  conditional: false,
  steps: 6500,
  batch: 384,
  network: {
    kind: 'mlp',
    // Edges need layers: five of 96 units make sharper ones than three of 128, which take as long.
    width: 96,
    depth: 5,
    activation: 'silu',
    // One half period over [0, 1] is enough in the plane.
    embedding: { kind: 'fourier', frequencies: 1 },
    times: 't-and-h',
  },
  optimizer: {
    learningRate: 6e-3,
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
  methods: methodsOf({
    intervals,
    weight,
    // What one step cannot draw are the edges, and how sharp they become is a matter of the variance of what is regressed on.
    coupling: 'optimal-transport',
    ema: 0.99,
    many: 64,
  }),
});
