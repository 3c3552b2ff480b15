/**
 * The recipe of each data set: where the defaults of training live. A data set without a recipe of its own takes the one of its
 * kind: points of the plane, images, or a table.
 */
import { ownValue } from '@meanflow/core/validation';
import { distributions, type Dataset } from '@meanflow/data';
import type { Recipe } from '../config/schema.js';
import { digitsRecipe } from './digits.js';
import { imagesRecipe } from './images.js';
import { planeRecipe } from './plane.js';
import { shapesRecipe } from './shapes.js';
import { tableRecipe } from './table.js';

/** Recipes by data set. */
const own: Readonly<Record<string, () => Recipe>> = {
  digits: digitsRecipe,
  shapes: shapesRecipe,
  'shapes-32': () => {
    const shapes = shapesRecipe();
    return { ...shapes, network: { ...shapes.network, patchSize: 8 } };
  },
  // Modes this narrow take longer until two steps land within them.
  '8-gaussians': () => ({ ...planeRecipe(), steps: 9000 }),
};

/** The recipe of a data set. */
export function recipeFor(dataset: Pick<Dataset, 'name' | 'classCount' | 'featureShape'>): Recipe {
  const { name, classCount, featureShape } = dataset;
  const found = ownValue(own, name);
  if (found !== undefined) return found();
  if (featureShape.length === 3) return imagesRecipe(dataset);
  if (distributions.some((distribution) => distribution.name === name)) return planeRecipe();
  return { ...tableRecipe(), conditional: classCount !== undefined };
}
