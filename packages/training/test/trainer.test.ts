import {
  ArgumentError,
  hostArray,
  mean,
  prepare,
  referenceBackend,
  type HostArray,
  type RandomKey,
  type Symbolic,
} from '@meanflow/core';
import {
  createNetwork,
  createObjective,
  meanFlow,
  type BatchShape,
  type NetworkConfig,
  type ObjectiveConfig,
} from '@meanflow/models';
import {
  adamW,
  checkpointChunks,
  DivergenceError,
  ema,
  sgd,
  train,
  Trainer,
  trainingKeys,
  type BatchSource,
  type MetricsRecord,
  type Progress,
  type TrainOptions,
} from '../src/index.js';
import { float32Backend } from './support/float32-backend.js';
import { ring, tinyNetwork, tinyTrainer, type TinyOptions } from './support/tiny-problem.js';

/** A "network" that is one number, to be brought to the mean of the data: everything is known in closed form. */
const numberNetwork = { init: () => ({ w: hostArray(4) }) };
type Numbers = { readonly x: HostArray };
const squaredDistance = {
  name: 'squared distance',
  draw: () => ({}),
  loss(_: unknown, { w }: Symbolic<{ w: HostArray }>, { x }: Symbolic<Numbers>) {
    const distance = w.sub(x);
    return { loss: mean(distance.mul(distance)), metrics: { distance: mean(distance) } };
  },
};
const dataFrom = (values: (step: number) => number[]): BatchSource<Numbers> => ({
  batch: (_, step) => ({ x: hostArray(values(step)) }),
});
const numberTrainer = (values: (step: number) => number[], learningRate = 0.25, decays = [0.5]) =>
  Trainer.create({
    backend: float32Backend(),
    network: numberNetwork,
    objective: squaredDistance,
    data: dataFrom(values),
    optimizer: sgd({ learningRate }),
    ema: ema({ decays }),
    batchSize: 2,
    seed: 0,
  });

/** All bytes that a trainer's state would be saved as. */
const bytesOf = async (trainer: Trainer): Promise<Buffer> =>
  Buffer.concat(checkpointChunks(await trainer.snapshot(), { seed: 1, batchSize: 8, info: {} }));

describe('Trainer', () => {
  it('makes the update that the gradient, the optimizer and the average say', async () => {
    await using trainer = await numberTrainer(() => [1, 3]);
    // w = 4, mean 2: loss (9 + 1) / 2, gradient 2·(4 − 2), w ← 4 − 0.25·4.
    const { step, loss, metrics } = await trainer.advance();
    expect([step, (await loss.read()).item(), (await metrics.distance.read()).item()]).toEqual([1, 5, 2]);
    expect((await trainer.parameters()).w.item()).toBe(3);
    expect((await trainer.parameters('0.5')).w.item()).toBe(3.5);
    await trainer.advance();
    expect((await trainer.parameters()).w.item()).toBe(2.5);
    expect((await trainer.parameters('0.5')).w.item()).toBe(3);
    expect((await trainer.snapshot()).step).toBe(2);
    await expect(trainer.parameters('0.9')).rejects.toThrow(
      'no average of decay "0.9"; this trainer keeps 0.5',
    );
  });

  it('draws the batch and the randomness of a step from the seed and the step alone', async () => {
    const seen: { key: RandomKey; step: number; size: number }[] = [];
    const drawn: RandomKey[] = [];
    const meanflow = meanFlow();
    const objective = {
      ...meanflow,
      draw(key: RandomKey, batch: BatchShape) {
        drawn.push(key);
        return meanflow.draw(key, batch);
      },
    };
    await using trainer = await Trainer.create({
      backend: float32Backend(),
      network: tinyNetwork(),
      objective,
      data: { batch: (key, step, size) => (seen.push({ key, step, size }), ring.batch(key, step, size)) },
      optimizer: sgd({ learningRate: 1e-3 }),
      batchSize: 5,
      seed: 7,
    });
    seen.length = drawn.length = 0;
    trainer.restore({ ...(await trainer.snapshot()), step: 41 });
    await trainer.advance();
    const keys = trainingKeys(7);
    expect(seen).toEqual([{ key: keys.data, step: 41, size: 5 }]);
    expect(drawn).toEqual([keys.draws.fold(41)]);
    expect(new Set(Object.values(keys).map((key) => key.bits(2).join())).size).toBe(3);
  });

  it('begins with the parameters of the seed, and every average as a copy of them', async () => {
    await using trainer = await tinyTrainer(float32Backend(), { seed: 3 });
    const { params, ema: averages, step } = await trainer.snapshot();
    expect(step).toBe(0);
    expect(params).toEqual(tinyNetwork().init(trainingKeys(3).init));
    expect(averages).toEqual({ '0.5': params, '0.9': params });
  });

  it('goes on from a saved state bit for bit, in a trainer of its own', async () => {
    await using straight = await tinyTrainer(float32Backend());
    await train(straight, { steps: 9 });
    await using before = await tinyTrainer(float32Backend());
    await train(before, { steps: 4 });
    await using after = await tinyTrainer(float32Backend());
    after.restore(await before.snapshot());
    expect(after.step).toBe(4);
    await train(after, { steps: 9 });
    expect(await bytesOf(after)).toEqual(await bytesOf(straight));
    expect(await bytesOf(before)).not.toEqual(await bytesOf(straight));
  });

  it.each<[string, TinyOptions]>([
    ['another seed', { seed: 2 }],
    ['another batch size', { batchSize: 9 }],
  ])('%s makes another run', async (_, options) => {
    await using one = await tinyTrainer(float32Backend());
    await using other = await tinyTrainer(float32Backend(), options);
    await train(one, { steps: 2 });
    await train(other, { steps: 2 });
    expect(await bytesOf(one)).not.toEqual(await bytesOf(other));
  });

  it('is one graph, in which each primal matrix product of the network appears once', async () => {
    await using trainer = await tinyTrainer(referenceBackend());
    const products = prepare(trainer.graph).instructions.filter(({ op }) => op === 'dotGeneral');
    // Three layers: primal, tangent (a gradient stops before it), weight gradient, and input gradient of the last two.
    expect(products).toHaveLength(3 + 3 + 3 + 2);
    const states = trainer.graph.outputs.filter(({ name }) => /^(params|optimizer|ema)\//.test(name));
    // Parameters, two moments, two averages.
    expect(states).toHaveLength(5 * 6);
  });

  it('refuses a state of another structure, and metrics that would hide what every line says', async () => {
    await using trainer = await numberTrainer(() => [2, 2]);
    const state = await trainer.snapshot();
    expect(() => trainer.restore({ ...state, ema: {} })).toThrow('leaf "ema/0.5/w" is missing');
    expect((await trainer.advance()).step).toBe(1);
    const objective = {
      ...squaredDistance,
      loss(...args: Parameters<typeof squaredDistance.loss>) {
        const { loss } = squaredDistance.loss(...args);
        return { loss, metrics: { loss } };
      },
    };
    const parts = { backend: float32Backend(), network: numberNetwork, data: dataFrom(() => [1]) };
    const created = Trainer.create({
      ...parts,
      objective,
      optimizer: sgd({ learningRate: 1 }),
      batchSize: 1,
      seed: 0,
    });
    await expect(created).rejects.toThrow('The metric "loss" of "squared distance" needs another name.');
  });

  it('refuses a batch size that is none, and a seed that is none', async () => {
    const create = (options: TinyOptions) => tinyTrainer(float32Backend(), options);
    await expect(create({ batchSize: 0 })).rejects.toThrow('The batch size is a whole number from 1, got 0.');
    await expect(create({ seed: -1 })).rejects.toThrow('A seed is an integer from 0');
  });
});

describe('train', () => {
  it('logs the first step, multiples of logEvery and the last, with the values of that very step', async () => {
    const records: MetricsRecord[] = [];
    await using trainer = await numberTrainer(() => [2, 2]);
    const summary = await train(trainer, {
      steps: 7,
      logEvery: 3,
      onMetrics: (record) => void records.push(record),
    });
    expect(records.map(({ step }) => step)).toEqual([1, 3, 6, 7]);
    // w − 2 halves with every step.
    expect(records.map(({ loss }) => loss)).toEqual([1, 3, 6, 7].map((step) => 4 * 0.25 ** (step - 1)));
    expect(records.map(({ distance }) => distance)).toEqual(
      [1, 3, 6, 7].map((step) => 2 * 0.5 ** (step - 1)),
    );
    expect(records.every(({ learningRate }) => learningRate === 0.25)).toBe(true);
    expect(summary).toMatchObject({ step: 7, completed: true });
    expect(summary.samplesPerSecond).toBeCloseTo(2 * summary.stepsPerSecond, 6);
  });

  it('leaves metrics that nobody logs on the device', async () => {
    const reads: string[] = [];
    await using trainer = await tinyTrainer(float32Backend((name) => reads.push(name)));
    await train(trainer, { steps: 10, logEvery: 5, onMetrics: () => {} });
    const metrics = reads.filter((name) => name.startsWith('metrics/'));
    expect(reads.filter((name) => name === 'loss')).toHaveLength(10);
    expect(new Set(metrics)).toContain('metrics/gradientNorm');
    expect(metrics).toHaveLength(3 * new Set(metrics).size);
    expect(reads.filter((name) => name.startsWith('params'))).toEqual([]);
  });

  it('reports progress, at the end at least', async () => {
    const reports: Progress[] = [];
    await using trainer = await numberTrainer(() => [2, 2]);
    await train(trainer, { steps: 5, logEvery: 2, onProgress: (progress) => reports.push(progress) });
    expect(reports.at(-1)).toMatchObject({ step: 5, steps: 5, loss: 4 * 0.25 ** 4, secondsLeft: 0 });
  });

  it('offers checkpoints at multiples and at the end, none of them twice', async () => {
    const steps: number[] = [];
    await using trainer = await numberTrainer(() => [2, 2]);
    const options: TrainOptions = {
      steps: 6,
      checkpointEvery: 3,
      onCheckpoint: ({ step }) => void steps.push(step),
    };
    await train(trainer, options);
    expect(steps).toEqual([3, 6]);
    await train(trainer, { ...options, steps: 8 });
    expect(steps).toEqual([3, 6, 8]);
  });

  it('stops after the current step when it is told to, with a checkpoint', async () => {
    const controller = new AbortController();
    const steps: number[] = [];
    await using trainer = await numberTrainer((step) => {
      if (step === 3) controller.abort();
      return [2, 2];
    });
    const summary = await train(trainer, {
      steps: 100,
      signal: controller.signal,
      onCheckpoint: ({ step }) => void steps.push(step),
    });
    expect(summary).toMatchObject({ step: 4, completed: false });
    expect(steps).toEqual([4]);
  });

  it('lets timers have their turn, so that a signal from outside arrives', async () => {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), 1);
    await using trainer = await numberTrainer(() => [2, 2]);
    const summary = await train(trainer, { steps: 1e9, signal: controller.signal });
    clearTimeout(timer);
    expect(summary.completed).toBe(false);
  });

  it('names the step whose loss is not finite, though nobody logs it, and saves nothing after', async () => {
    const saved: number[] = [];
    await using trainer = await numberTrainer((step) => (step === 6 ? [NaN, 2] : [2, 2]));
    const error: unknown = await train(trainer, {
      steps: 20,
      logEvery: 10,
      checkpointEvery: 5,
      onMetrics: () => {},
      onCheckpoint: ({ step }) => void saved.push(step),
    }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DivergenceError);
    expect(error).toMatchObject({ step: 7 });
    expect((error as Error).message).toContain('The loss at step 7 is NaN');
    expect(saved).toEqual([5]);
  });

  it('does not save parameters that are not finite, though the loss before was', async () => {
    const saved: number[] = [];
    await using trainer = await numberTrainer(() => [2, 2], 3e38);
    const error: unknown = await train(trainer, {
      steps: 1,
      onCheckpoint: ({ step }) => void saved.push(step),
    }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DivergenceError);
    expect((error as Error).message).toContain('After step 1, "params/w" holds values that are not finite');
    expect(saved).toEqual([]);
  });

  it('refuses counts that are none, and fewer steps than are made', async () => {
    await using trainer = await numberTrainer(() => [2, 2]);
    await expect(train(trainer, { steps: -5 })).rejects.toThrow(
      'train: steps is a whole number from 1, got -5.',
    );
    await expect(train(trainer, { steps: 5, logEvery: 0 })).rejects.toThrow(ArgumentError);
    await expect(train(trainer, { steps: 5, checkpointEvery: 1.5 })).rejects.toThrow('checkpointEvery');
    await train(trainer, { steps: 3 });
    await expect(train(trainer, { steps: 2 })).rejects.toThrow('3 steps are made already, more than the 2');
    expect(await train(trainer, { steps: 3 })).toMatchObject({ step: 3, completed: true, stepsPerSecond: 0 });
  });
});

/** Never called: what the compiler must accept, and refuse. */
export async function types(network: NetworkConfig, objective: ObjectiveConfig): Promise<void> {
  interface Labelled {
    readonly x: HostArray<'float32'>;
    readonly label: HostArray<'int32'> | undefined;
  }
  const common = {
    backend: referenceBackend(),
    optimizer: adamW({ learningRate: 1 }),
    batchSize: 3,
    seed: 1,
  };
  const parts = { ...common, network: createNetwork(network), objective: createObjective(objective) };
  const labelled = {} as BatchSource<Labelled>;
  const trainer = await Trainer.create({ ...parts, data: labelled });
  (await trainer.parameters()) satisfies Readonly<Record<string, unknown>>;
  // @ts-expect-error batches without x
  await Trainer.create({ ...parts, data: {} as BatchSource<{ y: HostArray }> });
  // @ts-expect-error no network
  await Trainer.create({ ...parts, data: labelled, network: {} });
}
