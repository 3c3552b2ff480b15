/** What a train step costs on WebGPU: dispatches and bytes, which depend on no machine, may fall and never rise. */
import { webgpuCost } from '@meanflow/backend-tfjs';
import { referenceBackend, type Graph } from '@meanflow/core';
import { createNetwork, createObjective } from '@meanflow/models';
import { adamW, ema, Trainer } from '@meanflow/training';
import { cases, objectiveConfig, training } from '../src/cases.js';
import { makeWorkload } from '../src/workload.js';

/** The case's train step, with the derivative on every row. */
async function stepOf(name: string): Promise<Graph> {
  const benchmark = cases.find((each) => each.name === name);
  if (benchmark?.task !== 'train') throw new Error(`${name} is no train step`);
  const { params, arrays } = makeWorkload(benchmark);
  const { x, noise, t, r } = arrays;
  const draws = benchmark.objective === 'flow-matching' ? { noise, t } : { noise, t, r };
  const backend = referenceBackend();
  const trainer = await Trainer.create({
    backend,
    network: { ...createNetwork(benchmark.network), init: () => params },
    objective: { ...createObjective(objectiveConfig(benchmark.objective)), draw: () => draws },
    optimizer: adamW(training.optimizer),
    ema: ema({ decays: [training.emaDecay], rampUp: false }),
    data: { batch: () => ({ x }) },
    batchSize: benchmark.batch,
    seed: 0,
  });
  const { graph } = trainer;
  await trainer.dispose();
  await backend.dispose();
  return graph;
}

test.each([
  { name: 'w1', dispatches: 42, megabytes: 75 },
  { name: 'w2', dispatches: 435, megabytes: 1300 },
])('$name: $dispatches dispatches and $megabytes MB at most', async ({ name, dispatches, megabytes }) => {
  const { kernels, bytes } = webgpuCost(await stepOf(name));
  expect(kernels.length).toBeLessThanOrEqual(dispatches);
  expect(bytes / 1e6).toBeLessThanOrEqual(megabytes);
});
