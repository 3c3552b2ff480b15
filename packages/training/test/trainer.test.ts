import { referenceBackend, type HostArray, type RandomKey } from '@meanflow/core';
import { prepare } from '@meanflow/core/backend';
import {
  createNetwork,
  createObjective,
  initialiser,
  meanFlow,
  type NetworkConfig,
  type ObjectiveConfig,
} from '@meanflow/models';
import {
  adamW,
  checkpointChunks,
  ema,
  sgd,
  train,
  Trainer,
  trainingKeys,
  type BatchSource,
} from '../src/index.js';
import { float32Backend } from './support/float32-backend.js';
import {
  dataFrom,
  numberNetwork,
  numberTrainer,
  squaredDistance,
  type NumberInputs,
} from './support/number-problem.js';
import { ring, tinyNetwork, tinyTrainer, type TinyOptions } from './support/tiny-problem.js';

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
    const drawn: { key: RandomKey; step: number }[] = [];
    const meanflow = meanFlow();
    const objective = {
      ...meanflow,
      draw: (given: Parameters<typeof meanflow.draw>[0]) => {
        drawn.push({ key: given.key, step: given.step });
        return meanflow.draw(given);
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
    expect(drawn).toEqual([{ key: keys.draws.fold(41), step: 41 }]);
    expect(new Set(Object.values(keys).map((key) => key.bits(2).join())).size).toBe(3);
  });

  it('draws parameters in steps between which others have their turn, and the same as at once', async () => {
    const network = tinyNetwork();
    const drawn: string[] = [];
    const waited: number[] = [];
    const { inSteps } = initialiser(network.specs);
    const init = Object.assign((key: RandomKey) => (drawn.push('at once'), network.init(key)), {
      inSteps: function* (key: RandomKey) {
        drawn.push('in steps');
        for (const steps = inSteps(key); ;) {
          const { done, value } = steps.next();
          if (done === true) return value;
          // As long as a large array takes: longer than the loop may be held.
          for (const since = Date.now(); Date.now() - since < 20;);
          setTimeout(() => waited.push(drawn.length), 0);
          yield;
        }
      },
    });
    const options = { backend: float32Backend(), objective: meanFlow(), data: ring, optimizer: sgd({ learningRate: 1e-3 }), batchSize: 5, seed: 7 }; // prettier-ignore
    await using trainer = await Trainer.create({ ...options, network: { ...network, init } });
    await using plain = await Trainer.create({ ...options, network });
    const before = drawn.length;
    const advanced = trainer.advance();
    expect(drawn.slice(before)).not.toContain('at once');
    await advanced;
    expect(drawn).toEqual(['in steps']);
    expect(waited.length).toBeGreaterThan(1);
    await plain.advance();
    expect(await bytesOf(trainer)).toEqual(await bytesOf(plain));
  });

  it('tells what goes before the first step, and nothing after it', async () => {
    const told: { phase: string; seconds: number }[] = [];
    await using trainer = await tinyTrainer(float32Backend(), {
      ema: ema({ decays: [0.5], every: 2 }),
      onProgress: (progress) => told.push(progress),
    });
    const phases = () => told.map(({ phase }) => phase);
    expect(phases()).toEqual(['tracing', 'preparing']);
    // The second is of a program of its own.
    for (let step = 1; step <= 3; step++) await trainer.advance();
    expect(phases()).toEqual(['tracing', 'preparing', 'first step']);
    for (const [i, { seconds }] of told.entries()) {
      expect(seconds).toBeGreaterThanOrEqual(told[i - 1]?.seconds ?? 0);
    }
  });

  it('draws the parameters that a network describes once, and none where it is given some', async () => {
    let drawn = 0;
    const described = tinyNetwork();
    const network = { ...described, init: (key: RandomKey) => (drawn++, described.init(key)) };
    const options = {
      ...{ backend: float32Backend(), network, objective: meanFlow(), data: ring },
      ...{ optimizer: sgd({ learningRate: 1e-3 }), batchSize: 4, seed: 1 },
    };
    await using trainer = await Trainer.create(options);
    expect(drawn).toBe(0);
    await trainer.advance();
    await trainer.advance();
    expect(drawn).toBe(1);
    await using given = await Trainer.create({ ...options, init: await trainer.parameters() });
    await given.advance();
    expect(drawn).toBe(1);
    // One that describes nothing is asked.
    const { specs: _, ...plain } = network;
    await using asked = await Trainer.create({ ...options, network: plain });
    expect(drawn).toBe(2);
    expect(asked.stateTypes).toEqual(trainer.stateTypes);
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
      loss: (given: NumberInputs) => {
        const { loss } = squaredDistance.loss(given);
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
    await expect(create({ batchSize: 0 })).rejects.toThrow('batchSize is a whole number from 1, got 0.');
    await expect(create({ seed: -1 })).rejects.toThrow('A seed is an integer from 0');
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
