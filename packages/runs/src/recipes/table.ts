/** The recipe for tables (wine, your own CSV files): few rows of standardised columns, with classes where there are labels. */
import type { Recipe } from '../config/schema.js';
import { methodsOf } from './methods.js';
import { planeRecipe } from './plane.js';

/** Every interval matters alike; two uniform times in order, and a quarter of the rows with r = t. */
const intervals = { t: { kind: 'uniform' }, equalShare: 0.25 } as const;

/** Noise is not paired with rows of a table, which mostly have classes or known columns: a power between even modes and sharp ones. */
const weight = { power: 0.6, epsilon: 0.01 };

export const tableRecipe = (): Recipe => {
  const plane = planeRecipe();
  return {
    ...plane,
    conditional: true,
    steps: 4000,
    batch: 128,
    network: { ...plane.network, width: 128, depth: 3 },
    optimizer: { ...plane.optimizer, learningRate: 4e-3 },
    evaluation: {
      samples: 1000,
      metrics: [
        'sliced-wasserstein-2',
        'energy-distance',
        'frechet',
        'neighbour-label-agreement',
        'neighbour-distance-ratio',
      ],
    },
    methods: methodsOf({ intervals, weight, ema: 0.99, many: 64 }),
  };
};
