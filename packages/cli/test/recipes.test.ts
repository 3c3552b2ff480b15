/** The published recipes' files: they say what `@meanflow/models` says, each value with its source, and the command takes them. */
import {
  cifar10Recipes,
  improvedMeanFlowRecipes,
  meanFlowRecipes,
  pixelMeanFlowRecipes,
  type PublishedRecipe,
} from '@meanflow/models/published';
import {
  askedRunSchema,
  mergeRuns,
  publishedRecipe,
  publishedRecipeNames,
  publishedRecipeText,
  withSteps,
} from '@meanflow/runs/command';
import { meanflow, succeed } from './support/cli.js';

const named = (
  prefix: string,
  recipes: Readonly<Record<string, PublishedRecipe>>,
): [string, PublishedRecipe][] =>
  Object.entries(recipes).map(([size, recipe]) => [
    prefix + size.toLowerCase().replace('/', '-').replace('+', '-plus'),
    recipe,
  ]);
const published = [
  ...named('dit-', meanFlowRecipes),
  ...named('imf-dit-', improvedMeanFlowRecipes),
  ...named('pmf-dit-', pixelMeanFlowRecipes),
  ...named('song-unet-cifar10-', cifar10Recipes),
];

it('has a file for each', () => {
  expect(publishedRecipeNames()).toEqual(published.map(([name]) => name).sort());
});

describe.each(published)('%s', (name, recipe) => {
  const file = publishedRecipe(name);

  it('is the recipe', () => {
    // The data decides the shape and the classes; labels of augmentation there are none here, as the file says.
    const { featureShape: _, ...network } = recipe.network;
    const { classCount, augmentWidth, ...plain } = network as Record<string, unknown>;
    expect(file.network).toEqual(plain);
    expect(augmentWidth).toBe(recipe.network.kind === 'song-unet' ? 6 : undefined);
    expect(file).toMatchObject({
      conditional: classCount !== undefined,
      batch: recipe.batch,
      ...recipe.length,
    });
    expect(file.objective).toEqual(recipe.objective);
    expect(file.method).toBe(recipe.objective.kind);
    const { optimizer, ema, evaluation } = recipe;
    if (optimizer.kind === 'muon') expect(file.optimizer).toMatchObject(optimizer);
    else {
      const { kind: _kind, warmUp, ...adam } = optimizer;
      const length =
        warmUp && ('steps' in warmUp ? { warmUpSteps: warmUp.steps } : { warmUpEpochs: warmUp.epochs });
      const from = warmUp && { warmUpFrom: warmUp.from };
      expect(file.optimizer).toEqual({ kind: 'adamw', schedule: 'constant', ...adam, ...(length ?? { warmUpSteps: 0 }), ...from }); // prettier-ignore
    }
    expect(file.ema).toEqual(
      'decay' in ema
        ? { decays: [ema.decay], every: ema.every, rampUp: false }
        : { halfLives: ema.halfLives, rampUpShare: ema.rampUpShare },
    );
    expect(file.sampling).toMatchObject({ ema: 'decay' in ema ? ema.decay : ema.evaluated });
    const { omega, tMin, tMax } = evaluation ?? {};
    const guidance = evaluation && { scale: omega, start: tMin, end: tMax };
    expect((file.sampling as Record<string, unknown>).guidance).toEqual(guidance);
  });

  it('has a source beside each number', () => {
    const values = publishedRecipeText(name)
      .split('\n')
      .filter((line) => /": (-?[\d.]|\[|true|false|\{.*\d)/.test(line));
    expect(values.length).toBeGreaterThan(15);
    for (const line of values.filter((text) => !text.includes('"nfe"'))) expect(line).toMatch(/\/\/ \S/);
  });

  it('is printed by name', async () => {
    expect((await succeed('info', '--recipe', name)).out).toBe(publishedRecipeText(name));
  });
});

it('a recipe says its own method', async () => {
  const outcome = await meanflow('info', '--recipe', 'dit-b-2', '--method', 'meanflow');
  expect(outcome).toMatchObject({ status: 2, out: '' });
});

describe('lengths', () => {
  const optimizer = { learningRate: 1, schedule: 'constant', beta1: 0, beta2: 0, epsilon: 1, weightDecay: 0 };
  const base = { epochs: 10, optimizer: { ...optimizer, warmUpEpochs: 2 } };

  it('what is said last holds, in either unit', () => {
    expect(mergeRuns(base, { steps: 5 })).toEqual({ steps: 5, optimizer: base.optimizer });
    expect(mergeRuns({ steps: 5 }, { epochs: 1 })).toEqual({ epochs: 1 });
    expect(mergeRuns(base, { optimizer: { warmUpSteps: 3 } })).toEqual({
      epochs: 10,
      optimizer: { ...optimizer, warmUpSteps: 3 },
    });
  });

  it('passes are whole batches of the rows that are learnt from', () => {
    const asked = askedRunSchema().parse({
      ...publishedRecipe('imf-dit-b-2'),
      data: 'x',
      heldOut: 0.2,
      splitSeed: 0,
      backend: 'ort:cpu',
      seed: 0,
      logEvery: 1,
      checkpointEvery: 1,
      evaluation: { samples: 2, metrics: ['frechet'] },
    });
    const rows = { name: 'x', sizes: { train: 1_281_167, test: 1 } } as Parameters<typeof withSteps>[1];
    // 1,251 batches of 1,024 to a pass.
    expect(withSteps(asked, rows, 'x')).toMatchObject({ steps: 800_640, optimizer: { warmUpSteps: 12_510 } });
  });
});
