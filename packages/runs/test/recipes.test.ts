/** What recipes have where nothing else is asked for: the network that images are learnt by, and how noise is paired with points. */
import type { RunSettings } from '../src/config/schema.js';
import { resolveRun } from '../src/experiment/resolve.js';
import { recipeFor } from '../src/recipes/index.js';

const sizes = { train: 10, test: 2 };
const networkOf = (featureShape: readonly number[]) =>
  recipeFor('photos', { featureShape, classCount: 2, sizes }).network;

test.each([
  [[16, 16, 3], { kind: 'unet', channelMultipliers: [1, 2, 4], attentionLevels: [1, 2] }],
  [[28, 28, 1], { kind: 'unet', channelMultipliers: [1, 2, 4], attentionLevels: [1, 2] }],
  [[32, 40, 3], { kind: 'unet', channelMultipliers: [1, 2, 4, 4], attentionLevels: [1, 2, 3] }],
  [[9, 24, 3], { kind: 'unet', channelMultipliers: [1, 2], attentionLevels: [1] }],
  [[3, 3, 1], { kind: 'unet', channelMultipliers: [1], attentionLevels: [] }],
  [[3, 16, 16], { kind: 'unet', channelMultipliers: [1, 2, 4], attentionLevels: [1, 2] }],
  [[64, 64, 3], { kind: 'dit', patchSize: 8, width: 128, depth: 4, heads: 4, times: 't-and-h' }],
  [[32, 32, 4], { kind: 'dit', patchSize: 4, width: 128, depth: 4, heads: 4, times: 't-and-h' }],
] as const)('of images %j', (featureShape, network) => {
  expect(networkOf(featureShape)).toEqual(network);
});

describe('noise is paired with points of the plane', () => {
  const couplingOf = async (asked: RunSettings): Promise<unknown> => {
    const { config } = await resolveRun([{ record: { data: 'two-moons', ...asked }, source: 'The test' }]);
    return (config.objective as { readonly coupling?: string }).coupling;
  };

  test.each(['flow-matching', 'meanflow', 'improved-meanflow'])('by %s', async (method) => {
    expect(await couplingOf({ method })).toBe('optimal-transport');
  });

  test.each<[string, RunSettings]>([
    ['a class', { conditional: true }],
    ['a column', { task: { kind: 'given', columns: ['x'] } }],
  ])('but not with points that are told apart by %s', async (_, asked) => {
    expect(await couplingOf(asked)).toBeUndefined();
  });

  test('and not with what it was asked for', async () => {
    expect(await couplingOf({ objective: { coupling: 'independent' } })).toBe('independent');
  });

  test('nor with digits', async () => {
    expect(await couplingOf({ data: 'digits' })).toBeUndefined();
  });
});
