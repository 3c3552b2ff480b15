/** From every published recipe: its network, its objective, its optimizer and its averages. */
import { hostArray, RandomKey, referenceBackend, treePaths, type HostArray, type Tree } from '@meanflow/core';
import { createNetwork, createObjective, type PmfDitConfig } from '@meanflow/models';
import {
  cifar10Recipes,
  improvedMeanFlowRecipes,
  meanFlowRecipes,
  pixelMeanFlowRecipes,
  recipeSteps,
  type PublishedRecipe,
} from '@meanflow/models/published';
import { emaKey, recipeEma, recipeOptimizer, Trainer } from '../src/index.js';

const IMAGENET = 1_281_167;
const recipes: [string, PublishedRecipe][] = Object.entries({
  ...prefixed('MeanFlow', meanFlowRecipes),
  ...prefixed('improved MeanFlow', improvedMeanFlowRecipes),
  ...prefixed('pixel MeanFlow', pixelMeanFlowRecipes),
  ...prefixed('CIFAR-10', cifar10Recipes),
});

function prefixed(name: string, group: Readonly<Record<string, PublishedRecipe>>) {
  return Object.fromEntries(Object.entries(group).map(([size, recipe]) => [`${name} ${size}`, recipe]));
}

describe.each(recipes)('%s', (name, recipe) => {
  const network = createNetwork(recipe.network);

  test('is plain JSON', () => {
    expect(JSON.parse(JSON.stringify(recipe))).toEqual(recipe);
  });

  test('names a network of the published size, in the form for training', () => {
    const size = name.split(' ').at(-1)!;
    const counts: Record<string, number> = {
      'MeanFlow B/4': 131_165_248,
      'MeanFlow XL/2+': 676_440_592,
      'improved MeanFlow XL/2': 711_113_760,
      'pixel MeanFlow H/16': 1_113_259_520,
      'CIFAR-10 v1': 55_932_419,
    };
    if (name in counts) expect(network.parameterCount).toBe(counts[name]);
    if (/\/\d/.test(size)) {
      expect((recipe.network as { patchSize: number }).patchSize).toBe(Number.parseInt(size.split('/')[1]));
    }
  });

  test('has an objective that draws for its network', () => {
    const objective = createObjective(recipe.objective);
    const batch = { x: { shape: [16, 3] }, label: { shape: [16] } };
    const draws = objective.draw({ network, key: RandomKey.fromSeed(0), batch, step: 0 });
    expect(draws.t.shape).toEqual([16]);
    expect('omega' in draws).toBe(network.takesGuidance);
    if (network.classCount !== undefined) expect(draws.dropped!.shape).toEqual([16]);
  });

  test('has an optimizer and averages', () => {
    const optimizer = recipeOptimizer(recipe, IMAGENET);
    const { learningRate, kind } = recipe.optimizer;
    expect(optimizer.learningRate!(1_000_000)).toBe(learningRate);
    const warmUp = kind === 'adam' ? recipe.optimizer.warmUp : undefined;
    expect(optimizer.learningRate!(0)).toBe(warmUp?.from ?? learningRate);
    const { keys, scalars } = recipeEma(recipe);
    const weight = scalars(999_999)[keys[0]];
    expect(weight).toBeGreaterThan(0);
    expect(weight).toBeLessThan(2e-3);
    if ('evaluated' in recipe.ema) expect(keys).toContain(emaKey(recipe.ema.evaluated));
  });
});

test('lengths in epochs leave out the last batch of each', () => {
  expect(recipeSteps({ epochs: 10 }, IMAGENET, 1024)).toBe(12_510);
  expect(recipeSteps({ steps: 7 }, IMAGENET, 1024)).toBe(7);
  const { learningRate } = recipeOptimizer(improvedMeanFlowRecipes['B/2'], IMAGENET);
  expect(learningRate!(6255)).toBeCloseTo(5e-5, 12);
  expect(learningRate!(12_510)).toBe(1e-4);
});

test('a small network is trained by the recipe of pixel MeanFlow', async () => {
  const recipe = pixelMeanFlowRecipes['B/16'];
  const small: PmfDitConfig = { ...recipe.network, featureShape: [4, 4, 3], patchSize: 2, width: 8, heads: 2, depth: 2, headDepth: 1, velocityHead: { depth: 1 }, classCount: 3 }; // prettier-ignore
  const config: PublishedRecipe = { ...recipe, network: small };
  const batch = {
    x: RandomKey.fromSeed(1).normal([4, 4, 4, 3]),
    label: hostArray([0, 1, 2, 0], { dtype: 'int32' }),
  };
  const trainer = await Trainer.create({
    network: createNetwork(small),
    objective: createObjective(recipe.objective),
    optimizer: recipeOptimizer(config, 100),
    ema: recipeEma(config),
    backend: referenceBackend(),
    data: { batch: () => batch },
    batchSize: 4,
    seed: 0,
  });
  const before = trainer.initialState;
  await trainer.advance();
  const after = await trainer.snapshot();
  const { muon, adam } = after.optimizer as Readonly<Record<'muon' | 'adam', Tree<HostArray>>>;
  const paths = (tree: Tree<HostArray>) => treePaths(tree).map(({ path }) => path);
  expect(paths(muon)).toEqual(expect.arrayContaining(['blocks/0/mlp/swiGlu/gate/kernel', 'conditions/h/out/kernel'])); // prettier-ignore
  // Matrices here, but not in the published code.
  expect(paths(adam)).toEqual(
    expect.arrayContaining(['mean/conditions/h/tokens', 'mean/patch/expand/kernel', 'mean/positions']),
  );
  expect(after.params).not.toEqual(before.params);
  await trainer.dispose();
});
