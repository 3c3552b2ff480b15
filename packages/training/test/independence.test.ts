/** The keys that a trainer gives to its data and its objective: other streams at every step, and of every seed. */
import { dependentPairs } from '@meanflow/conformance/testing';
import type { RandomKey } from '@meanflow/core';
import { meanFlow } from '@meanflow/models';
import { sgd, Trainer, trainingKeys } from '../src/index.js';
import { float32Backend } from './support/float32-backend.js';
import { ring, tinyNetwork } from './support/tiny-problem.js';

const COUNT = 2000;

test('steps and seeds have independent keys, and data, randomness and initial parameters too', async () => {
  const streams: Record<string, ArrayLike<number>> = {};
  const note = (name: string, key: RandomKey) => (streams[name] = key.uniform([COUNT]).data);
  for (const seed of [1, 2]) {
    const meanflow = meanFlow();
    await using trainer = await Trainer.create({
      backend: float32Backend(),
      network: tinyNetwork(),
      objective: {
        ...meanflow,
        draw: (given: Parameters<typeof meanflow.draw>[0]) => {
          note(`step ${given.step} of seed ${seed}`, given.key);
          return meanflow.draw(given);
        },
      },
      data: {
        batch: (key, step, size) => {
          // One key for all steps: what it is of a step is what a data set makes of both.
          note(`data of seed ${seed}`, key);
          return ring.batch(key, step, size);
        },
      },
      optimizer: sgd({ learningRate: 1e-3 }),
      batchSize: 3,
      seed,
    });
    for (let step = 0; step < 3; step++) await trainer.advance();
    note(`initial parameters of seed ${seed}`, trainingKeys(seed).init);
  }
  expect(Object.keys(streams).filter((name) => name.startsWith('step'))).toHaveLength(6);
  expect(dependentPairs(streams)).toEqual([]);
});
