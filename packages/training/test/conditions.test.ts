/** Conditions of a batch on their way to the step: with the rows that they belong to, or refused. */
import { hostArray, mean, RandomKey, type HostArray, type Symbolic } from '@meanflow/core';
import { sgd, Trainer, type BatchSource } from '../src/index.js';
import { float32Backend } from './support/float32-backend.js';

type Rows = {
  readonly x: HostArray;
  readonly conditions?: Readonly<Record<string, HostArray>>;
  readonly present?: Readonly<Record<string, HostArray>>;
};

const network = {
  conditions: {
    c: { kind: 'vector', shape: [2] },
    d: { kind: 'vector', shape: [2], optional: true },
  },
  init: () => ({ w: hostArray(0) }),
} as const;

/** How far x is from its condition: nothing, where the rows are the same. */
const distance = {
  name: 'distance',
  draw: () => ({}),
  loss: ({ params: { w }, batch }: { params: Symbolic<{ w: HostArray }>; batch: Symbolic<Rows> }) => ({
    loss: mean(batch.x.sub(batch.conditions!.c!).square()).add(w.mul(0)),
    metrics: {},
  }),
};

const create = (batch: BatchSource<Rows>['batch']) =>
  Trainer.create({
    backend: float32Backend(),
    network,
    objective: distance,
    data: { batch },
    optimizer: sgd({ learningRate: 1 }),
    batchSize: 3,
    seed: 4,
  });

const rowsOf = (key: RandomKey, step: number) => key.fold(step).normal([3, 2]);

test('rows stay together, and a shifted condition shows', async () => {
  await using trainer = await create((key, step) => {
    const x = rowsOf(key, step);
    return { x, conditions: { c: x } };
  });
  await using shifted = await create((key, step) => ({
    x: rowsOf(key, step),
    conditions: { c: rowsOf(key, step + 1) },
  }));
  const loss = async (of: typeof trainer): Promise<number> => (await (await of.advance()).loss.read()).item();
  for (let i = 0; i < 2; i++) {
    expect(await loss(trainer)).toBe(0);
    expect(await loss(shifted)).toBeGreaterThan(0.1);
  }
});

const x = RandomKey.fromSeed(1).normal([3, 2]);
test.each<[string, Rows, string]>([
  ['lacks one', { x }, 'The batch of step 1: the condition "c" is missing'],
  ['has one row less', { x, conditions: { c: x.rows(0, 2) } }, 'The batch of step 1: conditions.c must be [3, 2], the rows first, got [2, 2].'],
  ['has an unknown one', { x, conditions: { c: x, e: x } }, 'the network has no condition "e"; it takes c, d.'],
  ['says by half who has it', { x, conditions: { c: x, d: x }, present: { d: hostArray([1, 0, 0.5]) } }, 'present.d is 0 or 1, got 0.5 in row 2.'],
])('a batch that %s is refused', async (_, batch, message) => {
  await expect(create(() => batch)).rejects.toThrow(message);
}); // prettier-ignore
