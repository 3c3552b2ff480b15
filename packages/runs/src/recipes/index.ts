/**
 * The recipe of each data set: where the defaults of training live. A data set without a recipe of its own takes the one of its
 * kind: samples that are drawn afresh as points of the plane, images, or a table; its entry in the registry may change it.
 */
import { ownValue, validate } from '@meanflow/core/validation';
import { datasets, type Dataset } from '@meanflow/data';
import { merge } from '../config/merge.js';
import { recipeSchema, type Recipe } from '../config/schema.js';
import { digitsRecipe } from './digits.js';
import { fashionRecipe } from './fashion.js';
import { imagesRecipe } from './images.js';
import { planeRecipe } from './plane.js';
import { resolutionsOf, shapesRecipe } from './shapes.js';
import { tableRecipe } from './table.js';

/** Recipes by data set. */
const own: Readonly<Record<string, (dataset: Kind) => Recipe>> = {
  digits: digitsRecipe,
  fashion: fashionRecipe,
  shapes: shapesRecipe,
  'shapes-32': () => ({ ...shapesRecipe(), network: { kind: 'unet', ...resolutionsOf(32, 32) } }),
  // Modes this narrow take longer until one step lands within them.
  '8-gaussians': () => ({ ...planeRecipe(), steps: 7500 }),
};

/** What of a data set decides its recipe. */
type Kind = Pick<Dataset, 'classCount' | 'featureShape' | 'sizes'>;

/**
 * The recipe of a data set, checked where its entry in the registry changes something of it.
 *
 * @param data as it was asked for: a name, or a path, which has no recipe of its own whatever the file or folder is called
 */
export function recipeFor(data: string, dataset: Kind): Recipe {
  const found = ownValue(own, data)?.(dataset) ?? recipeOfKind(dataset);
  const changes = datasets.find(data)?.recipe;
  return changes === undefined
    ? found
    : validate(recipeSchema(), merge(found, changes), `The recipe of the data set "${data}"`);
}

/** Samples that are drawn afresh are as those of the plane, in whatever dimension. */
function recipeOfKind(dataset: Kind): Recipe {
  const { classCount, featureShape, sizes } = dataset;
  if (featureShape.length === 3) return imagesRecipe(dataset);
  if (sizes === undefined) return planeRecipe();
  return { ...tableRecipe(), conditional: classCount !== undefined };
}
