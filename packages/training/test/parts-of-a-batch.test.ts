/**
 * A batch that is taken in parts has in each the rows of everything: labels, conditions and who has them, times, what is dropped and
 * the guidance of each row. Rows differ in all of it, and a part that had the rows of another would have another loss.
 */
import type { HostArray, RandomKey } from '@meanflow/core';
import { createObjective, mlp, type ObjectiveConfig } from '@meanflow/models';
import { sgd, Trainer } from '../src/index.js';
import { float32Backend } from './support/float32-backend.js';

const network = mlp({
  kind: 'mlp',
  featureShape: [2],
  width: 8,
  depth: 2,
  classCount: 3,
  guidance: true,
  velocityHead: { depth: 1 },
  conditions: {
    a: { kind: 'vector', shape: [2] },
    b: { kind: 'vector', shape: [1], optional: true },
  },
});

const data = {
  batch: (key: RandomKey, step: number, size: number) => {
    const at = key.fold(step);
    const has = at.fold('has').uniform([size]);
    has.data.forEach((u, i) => (has.data[i] = Number(u < 0.7)));
    return {
      x: at.fold('x').normal([size, 2]),
      label: at.fold('label').integers([size], 0, 3),
      conditions: { a: at.fold('a').normal([size, 2]), b: at.fold('b').normal([size, 1]) },
      present: { b: has },
    };
  },
};

const drops = { labelDrop: { probability: 0.3 }, conditionDrop: { b: 0.4 } };
const configs: readonly ObjectiveConfig[] = [
  { kind: 'flow-matching', ...drops },
  { kind: 'meanflow', guidance: { omega: 1.5 }, ...drops },
  { kind: 'improved-meanflow', guidance: {}, ...drops },
];

/** The losses of some steps, and the parameters after them. */
async function numbersOf(config: ObjectiveConfig, accumulate: number): Promise<number[]> {
  await using trainer = await Trainer.create({
    backend: float32Backend(),
    network,
    objective: createObjective(config),
    data,
    optimizer: sgd({ learningRate: 0.1 }),
    batchSize: 12,
    seed: 6,
    accumulate,
  });
  const found: number[] = [];
  for await (const { loss } of trainer.steps({ until: 3 })) found.push((await loss.read()).item());
  const { out } = await trainer.parameters();
  return [...found, ...(Object.values(out) as HostArray[]).flatMap(({ data }) => [...data])];
}

test.each(configs)('$kind: in parts of three, of two and of one row as at once', async (config) => {
  const whole = await numbersOf(config, 1);
  for (const parts of [4, 6, 12]) {
    const found = await numbersOf(config, parts);
    expect(found).toHaveLength(whole.length);
    found.forEach((value, i) => expect(value).toBeCloseTo(whole[i]!, 4));
  }
});
