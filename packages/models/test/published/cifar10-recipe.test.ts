/** The recipe's parts are ones that the packages take, and its network is the published one. */
import { RandomKey } from '@meanflow/core';
import { intervalPresets } from '@meanflow/samplers';
import { createNetwork, createObjective, networkPreset } from '../../src/index.js';
import { cifar10Recipes } from '../../src/published.js';

describe.each(Object.entries(cifar10Recipes))('%s', (version, { network: config, objective: settings }) => {
  test('the network is the preset, told of augmentation', () => {
    const { augmentWidth, timeMultiplier, resampleFilter, ...plain } = config;
    expect(plain).toEqual(networkPreset('song-unet-cifar10'));
    expect([augmentWidth, timeMultiplier, resampleFilter]).toEqual([6, 2, [1, 3, 3, 1]]);
    expect(createNetwork(config).parameterCount).toBe(55_932_419);
  });

  test('the objective draws the intervals of its version, and dropout', () => {
    const network = createNetwork({ ...config, channels: 4 });
    const batch = { x: { shape: [64, 3, 32, 32] } };
    const { t, r, dropout } = createObjective(settings).draw({
      network,
      key: RandomKey.fromSeed(0),
      batch,
      step: 0,
    });
    expect(settings.intervals).toEqual(intervalPresets[`cifar10-${version as 'v0' | 'v1'}`]);
    const equal = t.data.filter((value, i) => value === r!.data[i]).length;
    // 64 coins of one quarter: 16, give or take 3.5.
    expect(equal).toBeGreaterThan(4);
    expect(equal).toBeLessThan(30);
    // Blocks: 3 × 4 and 2 down, 2 in the middle, 3 × 5 and 2 up.
    expect(dropout).toHaveLength(33);
  });
});
