/** Which network images are learnt by, where nothing else is asked for. */
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
