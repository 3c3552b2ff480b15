/** Whether a run is far shorter than its recipe: its samples are then no sign of what the method can do. */
import type { Dataset } from '@meanflow/data';
import { recipeSteps } from '@meanflow/models/published';
import type { RunConfig } from '../config/schema.js';
import { recipeFor } from '../recipes/index.js';
import { publishedRecipe } from '../recipes/published.js';
import { countText } from '../report/numbers.js';

/** A run of less than this share of its recipe's steps says so. */
const SHORT = 0.25;

/** What is to be said of a run that is far shorter than its recipe; undefined where it is not. */
export function shortRunNote(
  config: Pick<RunConfig, 'data' | 'steps' | 'batch' | 'recipe'>,
  dataset: Dataset,
): string | undefined {
  const planned = recipeLength(config, dataset);
  if (planned === undefined || config.steps >= SHORT * planned) return undefined;
  const name = config.recipe ?? `the recipe of ${dataset.name}`;
  return (
    `A short run: ${countText(config.steps)} steps, where ${name} makes ${countText(planned)}. Its samples are a first look, and ` +
    'not what the method can do.'
  );
}

/** Updates that the recipe of a run makes; undefined where it counts in passes over data that have none. */
function recipeLength(
  { data, recipe, batch }: Pick<RunConfig, 'data' | 'batch' | 'recipe'>,
  dataset: Dataset,
): number | undefined {
  if (recipe === undefined) return recipeFor(data, dataset).steps;
  const { steps, epochs } = publishedRecipe(recipe);
  if (typeof steps === 'number') return steps;
  return typeof epochs === 'number' && dataset.sizes !== undefined
    ? recipeSteps({ epochs }, dataset.sizes.train, batch)
    : undefined;
}
