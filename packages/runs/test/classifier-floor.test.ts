/** What a classifier says of data is said of rows that it did not learn from. */
import { HostArray, RandomKey } from '@meanflow/core';
import { openDataset } from '@meanflow/data/node';
import type { FeatureExtractor } from '@meanflow/metrics';
import { createJudge } from '../src/experiment/evaluation.js';

const dataset = await openDataset('digits');
const { x, label } = dataset.reference('train', RandomKey.fromSeed(0), 2000);
const contentOf = (images: HostArray, row: number): string => images.rows(row, row + 1).data.join();
const learnt = new Map(Array.from(label!.data, (value, row) => [contentOf(x, row), value]));

/** A classifier that knows the classes of what it learnt by heart, and takes all else for zeros. */
const byHeart: FeatureExtractor = {
  name: 'by heart',
  hasLogits: true,
  extract: async (images) => {
    const count = images.shape[0]!;
    const logits = new HostArray('float32', [count, 10], new Float32Array(10 * count));
    for (let row = 0; row < count; row++)
      logits.data[10 * row + (learnt.get(contentOf(images, row)) ?? 0)] = 9;
    return { features: images.to('float32'), logits };
  },
  dispose: async () => undefined,
};

it('the floor of class accuracy is that of held-out rows where rows are finite', async () => {
  const evaluation = { samples: 200, metrics: ['class-accuracy', 'inception-score'] };
  const judge = createJudge(dataset, { evaluation, conditional: true }, 0, byHeart);
  const floor = await judge.floor();
  expect(floor['class-accuracy']).toBeGreaterThan(0);
  expect(floor['class-accuracy']).toBeLessThan(0.2);
  // One class alone is seen in what was not learnt.
  expect(floor['inception-score']).toBeCloseTo(1, 5);
});
