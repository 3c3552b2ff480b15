/** The order of epochs and of seeds, and what drawn data sets draw: independent of each other. */
import { dependentPairs, repeatedDraws } from '@meanflow/conformance/testing';
import { RandomKey } from '@meanflow/core';
import { distributionDataset, distributions, shapesDataset } from '../src/index.js';
import { EpochOrder } from '../src/split.js';

const key = RandomKey.fromSeed(41);

test('epochs and seeds have orders of their own', () => {
  const rows = Int32Array.from({ length: 3000 }, (_, i) => i);
  const order = new EpochOrder(rows);
  const streams: Record<string, Int32Array> = { rows };
  for (const seed of [1, 2]) {
    for (const epoch of [0, 1, 2]) {
      streams[`epoch ${epoch} of seed ${seed}`] = order.batch(RandomKey.fromSeed(seed), epoch, rows.length);
    }
  }
  expect(dependentPairs(streams)).toEqual([]);
});

test.each([
  ...distributions.map((distribution) => [distribution.name, distributionDataset(distribution)] as const),
  ['shapes', shapesDataset()] as const,
])('%s draws once from a key: of batches, of both splits', (_, dataset) => {
  const draw = () => {
    for (const step of [0, 1, 2]) dataset.batch(key, step, 20);
    for (const split of ['train', 'test'] as const) dataset.reference(split, key, 20);
  };
  expect(repeatedDraws(draw)).toEqual({});
});
