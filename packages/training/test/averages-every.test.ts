/** Averages that are due every few steps: the steps between are made by a program that neither takes nor gives them. */
import { referenceBackend, treeLeaves, type Backend } from '@meanflow/core';
import { checkpointChunks, ema, train, type Ema, type MetricsRecord, type Trainer } from '../src/index.js';
import { float32Backend } from './support/float32-backend.js';
import { tinyTrainer } from './support/tiny-problem.js';

/** A backend that notes, for each of its runs, how many arrays of averages it takes and gives. */
function recordingBackend() {
  const inner = float32Backend();
  const [runs, compiled] = [new Array<readonly [number, number]>(), new Array<string>()];
  const ofAverages = (named: object): number =>
    Object.keys(named).filter((name) => name.startsWith('ema/')).length;
  const backend: Backend = {
    ...inner,
    async compile(graph, options) {
      const executable = await inner.compile(graph, options);
      compiled.push(graph.name);
      return {
        ...executable,
        async run(inputs, runOptions) {
          const outputs = await executable.run(inputs, runOptions);
          runs.push([ofAverages(inputs), ofAverages(outputs)]);
          return outputs;
        },
      };
    },
  };
  return { backend, runs, compiled };
}

async function curves(trainer: Trainer, steps: number) {
  const records: Omit<MetricsRecord, 'samplesPerSecond'>[] = [];
  const onMetrics = ({ samplesPerSecond: _, ...record }: MetricsRecord) => void records.push(record);
  await train(trainer, { steps, logEvery: 1, onMetrics });
  return { records, state: await trainer.snapshot() };
}

const bytesOf = async (trainer: Trainer): Promise<Buffer> =>
  Buffer.concat(checkpointChunks(await trainer.snapshot(), { seed: 1, batchSize: 8, info: {} }));

describe('averages of every third step', () => {
  const sparse = ema({ decays: [0.5, 0.9], every: 3, rampUp: false });
  /** The same, with a weight of 0 in the steps between. */
  const weighted: Ema = { ...sparse, every: 1 };

  it('are those of a program that has them in every step, bit for bit', async () => {
    const expected = await curves(await tinyTrainer(referenceBackend(), { ema: weighted }), 8);
    expect(await curves(await tinyTrainer(referenceBackend(), { ema: sparse }), 8)).toEqual(expected);
    expect(expected.state.ema['0.5']).not.toEqual(expected.state.params);
    expect(expected.state.ema['0.5']).not.toEqual(expected.state.ema['0.9']);
  });

  it('cost nothing in the steps between, whose program is made first', async () => {
    const { backend, runs, compiled } = recordingBackend();
    await using trainer = await tinyTrainer(backend, { ema: sparse });
    await train(trainer, { steps: 2 });
    expect(compiled).toHaveLength(1);
    await train(trainer, { steps: 7 });
    expect(compiled).toHaveLength(2);
    const arrays = treeLeaves(trainer.stateTypes.ema).length;
    expect(runs.map(([taken]) => taken)).toEqual([0, 0, arrays, 0, 0, arrays, 0]);
    expect(runs.map(([, given]) => given)).toEqual([0, 0, arrays, 0, 0, arrays, 0]);
  });

  it.each([2, 3, 4])('go on after step %d of a saved state as if nothing had been', async (stop) => {
    await using straight = await tinyTrainer(float32Backend(), { ema: sparse });
    await train(straight, { steps: 8 });
    await using before = await tinyTrainer(float32Backend(), { ema: sparse });
    await train(before, { steps: stop });
    await using after = await tinyTrainer(float32Backend(), { ema: sparse });
    after.restore(await before.snapshot());
    await train(after, { steps: 8 });
    expect(await bytesOf(after)).toEqual(await bytesOf(straight));
  });
});

it('averages of every step need one program', async () => {
  const { backend, compiled } = recordingBackend();
  await using trainer = await tinyTrainer(backend);
  await train(trainer, { steps: 3 });
  expect(compiled).toHaveLength(1);
});
