/**
 * The recipe for the coloured shapes at 16×16: a small U-Net, conditional on the class. What was tried, and why no transformer is the
 * default, is in docs/experiments.
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

/** Sides from which images are halved no more. */
const SMALLEST_SIDE = 4;
/** Channels at full size, at half of it and below, in multiples of the first. */
const MULTIPLIERS = [1, 2, 4];

/** Resolutions of a U-Net down to sides of some pixels, with attention at all but the first. */
export function resolutionsOf(height: number, width: number) {
  const halvings = Math.max(0, Math.floor(Math.log2(Math.min(height, width) / SMALLEST_SIDE)));
  const levels = Array.from({ length: 1 + Math.min(halvings, 3) }, (_, level) => level);
  return {
    channelMultipliers: levels.map((level) => MULTIPLIERS[Math.min(level, MULTIPLIERS.length - 1)]!),
    attentionLevels: levels.slice(1),
  };
}

export function shapesRecipe(): Recipe {
  const methods = imageMethods();
  return {
    conditional: true,
    steps: 15_000,
    batch: 64,
    network: { kind: 'unet', ...resolutionsOf(16, 16) },
    optimizer: {
      learningRate: 1e-3,
      schedule: 'cosine',
      warmUpSteps: 100,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0,
      clipNorm: 1,
    },
    ema: { decays: [0.999], rampUp: true },
    evaluation: { samples: 5000, metrics: ['frechet', 'feature-frechet', 'class-accuracy'] },
    methods: { ...methods, 'improved-meanflow': { ...methods['improved-meanflow']!, ...guided } },
  };
}
