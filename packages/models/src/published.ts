/**
 * `@meanflow/models/published`: models that others published: the names, layouts and buffers of their parameters, the recipes that
 * trained them, and the terms and draws by which an objective is compared with their code.
 */
export {
  layoutPermutation,
  publishedShape,
  sameUpToOnes,
  type ParameterLayout,
  type PublishedBuffer,
  type PublishedNames,
  type PublishedParameter,
  type PublishedSource,
} from './published/published-parameter.js';
export { arrangePublished } from './published/arrange.js';
export { cifar10Recipes } from './published/cifar10-recipe.js';
export {
  improvedMeanFlowRecipes,
  meanFlowRecipes,
  pixelMeanFlowRecipes,
} from './published/imagenet-recipes.js';
export {
  recipeSteps,
  type AdamSettings,
  type DecaySettings,
  type HalfLifeSettings,
  type MuonSettings,
  type PerceptualSettings,
  type PublishedRecipe,
  type RecipeLength,
} from './published/recipe.js';
export {
  hasMatrices,
  matrixPaths,
  publishedBuffers,
  publishedParameters,
} from './published/published-parameters.js';
export { publishedSdVaeParameters, type SdVaeNaming } from './published/sd-vae-names.js';
export { improvedMeanFlowTerms, type ImprovedMeanFlowTerms } from './objectives/improved-meanflow.js';
export { dropLabels, droppedFromRaw } from './objectives/label-drop.js';
export { meanFlowTerms, type BakedGuidance, type MeanFlowTerms } from './objectives/meanflow.js';
