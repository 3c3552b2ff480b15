/**
 * The recipe for `fashion`, Fashion-MNIST's test images: that of images for 80 passes over its 8,000 rows, judged by a classifier and not
 * by pixels, whose covariance takes longer than it tells. The whole set is given by its path, and `imagesRecipe` is its recipe.
 */
import type { Dataset } from '@meanflow/data';
import type { Recipe } from '../config/schema.js';
import { imagesRecipe } from './images.js';

export function fashionRecipe(dataset: Pick<Dataset, 'featureShape' | 'classCount'>): Recipe {
  return {
    ...imagesRecipe(dataset),
    steps: 10_000,
    evaluation: { samples: 5000, metrics: ['feature-frechet', 'class-accuracy'] },
  };
}
