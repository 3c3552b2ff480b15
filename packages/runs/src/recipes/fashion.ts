/**
 * The recipe for `fashion`, Fashion-MNIST's test images: that of images, for as many passes over its 8,000 rows as one has patience for,
 * judged by a classifier. Of the whole set, which is given by path, `imagesRecipe` is the recipe.
 */
import type { Dataset } from '@meanflow/data';
import type { Recipe } from '../config/schema.js';
import { imagesRecipe } from './images.js';

export function fashionRecipe(dataset: Pick<Dataset, 'featureShape' | 'classCount'>): Recipe {
  return {
    ...imagesRecipe(dataset),
    steps: 10_000,
    evaluation: { samples: 5000, metrics: ['frechet', 'feature-frechet', 'class-accuracy'] },
  };
}
