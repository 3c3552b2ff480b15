import { referenceBackend, HostArray, type Backend } from '@meanflow/core';
import {
  checkpointChunks,
  DivergenceError,
  ema,
  sgd,
  train,
  Trainer,
  type Ema,
  type MetricsRecord,
} from '../src/index.js';
import { updatesAverages } from '../src/train-steps.js';
import { float32Backend } from './support/float32-backend.js';
import { dataFrom, numberNetwork, squaredDistance } from './support/number-problem.js';
import { tinyTrainer, type TinyOptions } from './support/tiny-problem.js';

const bytesOf = async (trainer: Trainer): Promise<Buffer> =>
  Buffer.concat(checkpointChunks(await trainer.snapshot(), { seed: 1, batchSize: 8, info: {} }));

/** A backend that notes how many steps each of its runs makes, and the bytes that runs take and return. */
function recordingBackend(backend: Backend, copiesState?: boolean) {
  const runs: number[] = [];
  const bytes = { taken: 0, returned: 0 };
  const sizeOf = (arrays: Readonly<Record<string, { readonly shape: readonly number[] }>>): number =>
    Object.values(arrays).reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
  const recording: Backend = {
    ...backend,
    copiesState,
    async compile(graph, options) {
      const executable = await backend.compile(graph, options);
      const losses = graph.outputs.filter(({ name }) => /(^|\/)loss$/.test(name)).length;
      return {
        ...executable,
        async run(inputs, runOptions) {
          runs.push(losses);
          bytes.taken += sizeOf(inputs);
          const outputs = await executable.run(inputs, runOptions);
          bytes.returned += sizeOf(outputs);
          return outputs;
        },
      };
    },
  };
  return { backend: recording, runs, bytes };
}

/** All losses and metrics of so many steps, and the state after them. */
async function curvesOf(backend: Backend, steps: number, options: TinyOptions) {
  await using trainer = await tinyTrainer(backend, options);
  const records: MetricsRecord[] = [];
  const onMetrics = ({ samplesPerSecond: _, ...record }: MetricsRecord): void =>
    void records.push(record as MetricsRecord);
  await train(trainer, { steps, logEvery: 1, onMetrics });
  return { records, state: await trainer.snapshot() };
}

describe('several steps per run', () => {
  const averages: [string, Ema][] = [
    ['averages of every step', ema({ decays: [0.5, 0.9], rampUp: true })],
    ['averages of every second step, in some steps of the graph', ema({ decays: [0.9], every: 2 })],
    ['averages of every third step, with weights of 0', ema({ decays: [0.9], every: 3 })],
    ['no averages', ema({ decays: [] })],
  ];

  it.each(averages)('are the steps one by one, bit for bit: %s', async (_, kept) => {
    const one = await curvesOf(referenceBackend(), 9, { ema: kept });
    const several = await curvesOf(referenceBackend(), 9, { ema: kept, stepsPerRun: 4 });
    expect(one.records.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(several).toEqual(one);
  });

  it('leaves averages out of the graph in steps where none is due', async () => {
    const kept = ema({ decays: [0.9], every: 2 });
    expect([0, 1, 2, 3].map((i) => updatesAverages(kept, i, 4))).toEqual([false, true, false, true]);
    expect([0, 1, 2].map((i) => updatesAverages(kept, i, 3))).toEqual([true, true, true]);
    expect(updatesAverages(kept, 0, 1)).toBe(true);
    expect(updatesAverages(undefined, 0, 4)).toBe(false);
    const names: string[] = [];
    const backend: Backend = {
      ...referenceBackend(),
      async compile(graph, options) {
        names.push(...graph.inputs.map(({ name }) => name).filter((name) => name.includes('scalars/ema')));
        return referenceBackend().compile(graph, options);
      },
    };
    await using trainer = await tinyTrainer(backend, { ema: kept, stepsPerRun: 4 });
    await trainer.advanceRun();
    expect(names).toEqual(['scalars/ema/0.9', 'steps/1/scalars/ema/0.9', 'steps/3/scalars/ema/0.9']);
  });

  it('begin at multiples of their number and end at limits: single steps in between', async () => {
    const { backend, runs } = recordingBackend(float32Backend());
    await using trainer = await tinyTrainer(backend, { stepsPerRun: 4 });
    const saved: number[] = [];
    await train(trainer, {
      steps: 15,
      checkpointEvery: 6,
      onCheckpoint: ({ step }) => void saved.push(step),
    });
    expect(saved).toEqual([6, 12, 15]);
    expect(runs).toEqual([4, 1, 1, 1, 1, 4, 1, 1, 1]);
    expect((await trainer.advanceRun()).map(({ step }) => step)).toEqual([16]);
    expect((await trainer.advanceRun()).map(({ step }) => step)).toEqual([17, 18, 19, 20]);
    expect((await trainer.advance()).step).toBe(21);
  });

  it('go on from any step of a saved state, to the bytes of a run that was not interrupted', async () => {
    // The reference keeps float64 between runs, which a saved state does not: here the trainer goes on with its own.
    await using straight = await tinyTrainer(referenceBackend());
    await train(straight, { steps: 11 });
    const exact = await bytesOf(straight);
    for (const stop of [3, 4]) {
      const { backend, runs } = recordingBackend(referenceBackend());
      await using trainer = await tinyTrainer(backend, { stepsPerRun: 4 });
      await train(trainer, { steps: stop });
      await train(trainer, { steps: 11 });
      expect(runs).toEqual(stop === 3 ? [1, 1, 1, 1, 4, 1, 1, 1] : [4, 4, 1, 1, 1]);
      expect(await bytesOf(trainer)).toEqual(exact);
    }
    const interrupted = await tinyTrainer(float32Backend(), { stepsPerRun: 4 });
    await train(interrupted, { steps: 4 });
    await using after = await tinyTrainer(float32Backend(), { stepsPerRun: 4 });
    after.restore(await interrupted.snapshot());
    await train(after, { steps: 11 });
    await train(interrupted, { steps: 11 });
    expect(await bytesOf(after)).toEqual(await bytesOf(interrupted));
  });

  it('stop after the run in which they are told to', async () => {
    const controller = new AbortController();
    await using trainer = await trainerOfNumbers((step) => {
      if (step === 5) controller.abort();
      return [2, 2];
    });
    const steps: number[] = [];
    const summary = await train(trainer, {
      steps: 100,
      signal: controller.signal,
      onCheckpoint: ({ step }) => void steps.push(step),
    });
    expect(summary).toMatchObject({ step: 8, completed: false });
    expect(steps).toEqual([8]);
  });

  it('name the one whose loss is not finite, after the lines of those before it', async () => {
    await using trainer = await trainerOfNumbers((step) => (step === 6 ? [NaN, 2] : [2, 2]));
    const records: MetricsRecord[] = [];
    const options = {
      steps: 12,
      logEvery: 2,
      onMetrics: (record: MetricsRecord) => void records.push(record),
    };
    await expect(train(trainer, options)).rejects.toThrow(DivergenceError);
    expect(records.map(({ step, loss }) => [step, loss])).toEqual(
      [1, 2, 4, 6].map((step) => [step, 4 * 0.25 ** (step - 1)]),
    );
  });

  it('leave on the device what nobody logs', async () => {
    const reads: string[] = [];
    await using trainer = await tinyTrainer(
      float32Backend((name) => reads.push(name)),
      { stepsPerRun: 5 },
    );
    await train(trainer, { steps: 10, logEvery: 5, onMetrics: () => {} });
    expect(reads.filter((name) => name.endsWith('loss'))).toHaveLength(10);
    // The squared error is watched besides.
    const metrics = reads.filter((name) => name.includes('metrics/') && !name.endsWith('squaredError'));
    const ofStep = (index: string) => metrics.filter((name) => name.split('/')[1] === index).length;
    // The first and the fifth step of the first run, and the fifth of the second, which is the tenth of all.
    expect(ofStep('0')).toBeGreaterThan(0);
    expect([ofStep('4'), metrics.length]).toEqual([2 * ofStep('0'), 3 * ofStep('0')]);
  });

  it('divide what crosses to the host and back where runs copy the state', async () => {
    const perStep = async (stepsPerRun: number) => {
      const { backend, bytes } = recordingBackend(float32Backend());
      await using trainer = await tinyTrainer(backend, { stepsPerRun });
      const state = 4 * sizeOfState(trainer.initialState);
      await train(trainer, { steps: 8 });
      return { state, taken: bytes.taken / 8, returned: bytes.returned / 8 };
    };
    const one = await perStep(1);
    // What a step takes for itself, and the scalars that it reports.
    const [batch, report] = [one.taken - one.state, one.returned - one.state];
    expect(batch).toBeGreaterThan(0);
    for (const count of [2, 4, 8]) {
      const several = await perStep(count);
      expect(several.taken).toBe(one.state / count + batch);
      expect(several.returned).toBe(one.state / count + report);
    }
  });

  it('are 8 where the backend says that runs copy their state, and 1 elsewhere', async () => {
    for (const [copiesState, expected] of [
      [true, 8],
      [false, 1],
      [undefined, 1],
    ] as const) {
      const { backend, runs } = recordingBackend(float32Backend(), copiesState);
      await using trainer = await tinyTrainer(backend);
      expect(trainer.stepsPerRun).toBe(expected);
      expect(await trainer.advanceRun()).toHaveLength(expected);
      expect(runs).toEqual([expected]);
    }
    const { backend } = recordingBackend(float32Backend(), true);
    await using chosen = await tinyTrainer(backend, { stepsPerRun: 1 });
    expect(chosen.stepsPerRun).toBe(1);
  });

  it.each([0, 1.5, NaN, -4])('are not %p', async (stepsPerRun) => {
    await expect(tinyTrainer(float32Backend(), { stepsPerRun })).rejects.toThrow(
      `stepsPerRun is a whole number from 1, got ${stepsPerRun}`,
    );
  });

  it('say why they cannot be compiled when they are first wanted', async () => {
    const reference = referenceBackend();
    const backend: Backend = {
      ...reference,
      async compile(graph, options) {
        if (graph.name.endsWith('4 steps')) throw new Error('too large');
        return reference.compile(graph, options);
      },
    };
    const trainer = await tinyTrainer(backend, { stepsPerRun: 4 });
    await expect(trainer.advanceRun()).rejects.toThrow('too large');
    expect((await trainer.advance()).step).toBe(1);
    await trainer.dispose();
  });
});

const sizeOfState = ({
  params,
  optimizer,
  ema: averages,
}: Awaited<ReturnType<Trainer['snapshot']>>): number => {
  const size = (tree: unknown): number =>
    tree instanceof HostArray
      ? tree.size
      : Object.values(tree ?? {}).reduce((sum: number, child) => sum + size(child), 0);
  return size(params) + size(optimizer) + size(averages);
};

/** Runs of four steps on a problem of which every step is known. */
const trainerOfNumbers = (values: (step: number) => number[]) =>
  Trainer.create({
    backend: float32Backend(),
    network: numberNetwork,
    objective: squaredDistance,
    data: dataFrom(values),
    optimizer: sgd({ learningRate: 0.25 }),
    batchSize: 2,
    seed: 0,
    stepsPerRun: 4,
  });
