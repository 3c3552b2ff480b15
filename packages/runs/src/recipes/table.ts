/** The recipe for tables (wine, your own CSV files): few rows of standardised columns, with classes where there are labels. */
import type { Recipe } from '../config/schema.js';
import { planeRecipe } from './plane.js';

export const tableRecipe = (): Recipe => ({
  ...planeRecipe(),
  conditional: true,
  steps: 4000,
  batch: 128,
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
});
