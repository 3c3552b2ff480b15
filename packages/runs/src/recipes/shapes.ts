/**
 * The recipe for the coloured shapes at 16×16: a small DiT on patches of 4×4 pixels, conditional on the class. With patches of 2×2
 * a step takes four times as long, which the same time pays for in images seen.
 */
import type { Recipe } from '../config/schema.js';
import { methodsOf } from './methods.js';

/** Two uniform times in order; half of the rows have r = t, from which the velocity along which u is differentiated is learnt. */
const intervals = { t: { kind: 'uniform' }, equalShare: 0.5 } as const;

const weight = { power: 0.25, epsilon: 0.01 };

/** The methods on images, with classes or without. */
export const imageMethods = () => methodsOf({ intervals, weight, ema: 0.999, many: 50 });

/** Guidance as a condition, drawn for each row, so that its scale is chosen when sampling. */
const guided = {
  network: { guidance: true },
  objective: {
    kind: 'improved-meanflow',
    intervals,
    weight,
    tangent: 'boundary',
    guidance: { maxScale: 8 },
    labelDrop: { probability: 0.1 },
  },
};

export function shapesRecipe(): Recipe {
  const methods = imageMethods();
  return {
    conditional: true,
    steps: 15_000,
    batch: 64,
    network: { kind: 'dit', patchSize: 4, width: 128, depth: 4, heads: 4, times: 't-and-h' },
    optimizer: {
      learningRate: 1e-3,
      schedule: 'cosine',
      warmUpSteps: 100,
      beta1: 0.9,
      beta2: 0.95,
      epsilon: 1e-8,
      weightDecay: 0,
      clipNorm: 1,
    },
    ema: { decays: [0.999], rampUp: true },
    evaluation: { samples: 5000, metrics: ['frechet', 'feature-frechet', 'class-accuracy'] },
    methods: { ...methods, 'improved-meanflow': { ...methods['improved-meanflow']!, ...guided } },
  };
}
