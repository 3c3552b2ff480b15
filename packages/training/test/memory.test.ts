/** A budget of memory: which blocks a step recomputes for it, and that the updates are the same. */
import { treeLeaves, type HostArray, type RandomKey } from '@meanflow/core';
import { prepare } from '@meanflow/core/backend';
import { createObjective, dit, type DitParameters, type ObjectiveConfig } from '@meanflow/models';
import { adamW, Trainer } from '../src/index.js';
import { float32Backend } from './support/float32-backend.js';

const DEPTH = 3;
const network = dit({ kind: 'dit', featureShape: [4, 4, 1], patchSize: 1, width: 8, depth: DEPTH, heads: 2 });
const data = {
  batch: (key: RandomKey, step: number, size: number) => ({ x: key.fold(step).normal([size, 4, 4, 1]) }),
};

interface Options {
  readonly memory?: number;
  readonly accumulate?: number;
  readonly objective?: ObjectiveConfig;
}
const make = ({ objective = { kind: 'meanflow' }, ...options }: Options = {}): Promise<
  Trainer<DitParameters>
> =>
  Trainer.create({
    backend: float32Backend(),
    network,
    objective: createObjective(objective),
    data,
    optimizer: adamW({ learningRate: 1e-2 }),
    batchSize: 4,
    seed: 2,
    ...options,
  });

const peakOf = ({ graph }: Trainer<DitParameters>): number => prepare(graph).stats().peakBytes;

async function parametersAfter(trainer: Trainer<DitParameters>, steps: number): Promise<number[]> {
  for (let step = 0; step < steps; step++) await trainer.advance();
  return treeLeaves<HostArray>(await trainer.parameters()).flatMap(({ data: values }) => [...values]);
}

describe.each([
  { objective: { kind: 'meanflow' } },
  { objective: { kind: 'flow-matching' } },
  { objective: { kind: 'meanflow' }, accumulate: 2 },
] as const)('%o', (options) => {
  it('recomputes blocks until the step is within its budget, and makes the same updates', async () => {
    await using kept = await make(options);
    const without = peakOf(kept);
    const memory = without - 1;
    await using fitted = await make({ ...options, memory });
    const plan = fitted.memoryPlan!;
    expect(plan).toMatchObject({ budget: memory, bytesWithout: without, blocks: DEPTH });
    expect(plan.bytes).toBeLessThan(without);
    expect(plan.bytes).toBe(peakOf(fitted));
    expect(plan.recomputed[0]).toBe('blocks/0');
    const [expected, found] = [await parametersAfter(kept, 2), await parametersAfter(fitted, 2)];
    found.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-5));
  });
});

it('recomputes nothing where there is room, and says nothing where no budget is given', async () => {
  await using kept = await make();
  expect(kept.memoryPlan).toBeUndefined();
  await using roomy = await make({ memory: 1e9 });
  expect(roomy.memoryPlan).toMatchObject({ recomputed: [], blocks: DEPTH });
  expect(roomy.graph.stats().ops).toEqual(kept.graph.stats().ops);
});

it('refuses a budget that no recomputation could keep to, and one that is no size', async () => {
  await expect(make({ memory: 1000 })).rejects.toThrow('with every block recomputed');
  for (const memory of [0, -1, NaN, Infinity])
    await expect(make({ memory })).rejects.toThrow('memory is a number of bytes above 0');
});
