/** The step in two halves, and batches that are taken in parts: both come to what the whole step comes to. */
import {
  hostArray,
  mean,
  treeLeaves,
  type Backend,
  type HostArray,
  type Objective,
  type RandomKey,
} from '@meanflow/core';
import { prepare } from '@meanflow/core/backend';
import { createObjective, mlp, songUNet, type MlpParameters, type ObjectiveConfig } from '@meanflow/models';
import {
  adamW,
  averageGradients,
  chain,
  checkpointChunks,
  clipByGlobalNorm,
  ema,
  sgd,
  train,
  Trainer,
  type MetricsRecord,
} from '../src/index.js';
import { float32Backend } from './support/float32-backend.js';
import {
  dataFrom,
  numberNetwork,
  numberTrainer,
  squaredDistance,
  type Numbers,
} from './support/number-problem.js';

const BATCH = 12;
const network = mlp({ kind: 'mlp', featureShape: [2], width: 8, depth: 2, classCount: 3 });
const data = {
  batch: (key: RandomKey, step: number, size: number) => ({
    x: key.fold(step).normal([size, 2]),
    label: key.fold(step).fold('label').integers([size], 0, 3),
  }),
};
const config: ObjectiveConfig = {
  kind: 'meanflow',
  guidance: { omega: 1.5 },
  labelDrop: { probability: 0.3, rows: 'first' },
};

interface Options {
  readonly accumulate?: number;
  readonly guarded?: boolean;
  readonly batchSize?: number;
  readonly backend?: Backend;
}
const make = (options: Options = {}): Promise<Trainer<MlpParameters>> =>
  Trainer.create({
    backend: float32Backend(),
    network,
    objective: createObjective(config),
    data,
    optimizer: chain(clipByGlobalNorm(0.5), adamW({ learningRate: 1e-2, weightDecay: 0.01 })),
    ema: ema({ decays: [0.9] }),
    batchSize: BATCH,
    seed: 4,
    ...options,
  });

async function curves(trainer: Trainer<MlpParameters>, steps: number): Promise<MetricsRecord[]> {
  const records: MetricsRecord[] = [];
  await train(trainer, { steps, logEvery: 1, onMetrics: (record) => void records.push(record) });
  return records;
}

/** Every number of a line but those of the clock. */
const numbersOf = ({ samplesPerSecond: _, ...record }: MetricsRecord): [string, number][] =>
  Object.entries(record).sort(([a], [b]) => a.localeCompare(b));

function expectClose(actual: readonly MetricsRecord[], wanted: readonly MetricsRecord[]): void {
  expect(actual).toHaveLength(wanted.length);
  actual.forEach((record, i) => {
    const expected = numbersOf(wanted[i]!);
    expect(numbersOf(record).map(([name]) => name)).toEqual(expected.map(([name]) => name));
    numbersOf(record).forEach(([, value], k) => {
      const target = expected[k]![1];
      expect(Math.abs(value - target)).toBeLessThanOrEqual(2e-5 * Math.max(1, Math.abs(target)));
    });
  });
}

const bytesOf = async (trainer: Trainer<MlpParameters>): Promise<Buffer> =>
  Buffer.concat(checkpointChunks(await trainer.snapshot(), { seed: 4, batchSize: BATCH, info: {} }));

describe('gradients and update', () => {
  it('two trainers with unequal parts of a batch, averaged on the host, go as one with all of it', async () => {
    await using whole = await make();
    const wanted = await curves(whole, 30);
    await using one = await make();
    await using other = await make();
    for (let step = 1; step <= 30; step++) {
      using first = await one.gradients({ to: 5 });
      using second = await other.gradients({ from: 5 });
      const averaged = averageGradients([await first.read(), await second.read()]);
      expect(averaged.rows).toBe(BATCH);
      for (const trainer of [one, other]) {
        const { step: made, loss } = await trainer.update(averaged);
        expect(made).toBe(step);
        const target = wanted[step - 1]!.loss;
        expect(Math.abs((await loss.read()).item() - target)).toBeLessThan(2e-5 * Math.max(1, target));
      }
    }
    // Both were given the same: bit for bit.
    expect(await bytesOf(one)).toEqual(await bytesOf(other));
    expect(one.step).toBe(30);
  });

  it('those of the whole batch make the very step, and leave the state as it is until then', async () => {
    await using straight = await make();
    await straight.advance();
    await using halves = await make();
    const before = await bytesOf(halves);
    using gradients = await halves.gradients();
    expect(await bytesOf(halves)).toEqual(before);
    await halves.update(gradients);
    const [made, wanted] = [await halves.parameters(), await straight.parameters()].map((p) =>
      treeLeaves<HostArray>(p),
    );
    made!.forEach((leaf, i) => leaf.data.forEach((x, k) => expect(x).toBeCloseTo(wanted![i]!.data[k]!, 6)));
  });

  it('gradients of other parameters, rows that are none, and a signal that is aborted are refused', async () => {
    await using trainer = await make();
    await using other = await numberTrainer(() => [1, 2]);
    using given = await other.gradients();
    await expect(trainer.update((await given.read()) as never)).rejects.toThrow(
      'Trainer.update: the trees differ',
    );
    await expect(trainer.gradients({ from: 4, to: 4 })).rejects.toThrow(
      'rows from 4 to 4 are not among the 12',
    );
    await expect(trainer.gradients({ to: 13 })).rejects.toThrow('rows from 0 to 13 are not among the 12');
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(trainer.gradients({ signal })).rejects.toThrow('enough');
    await expect(trainer.advance({ signal })).rejects.toThrow('enough');
    expect((await trainer.advance()).step).toBe(1);
    expect(() => averageGradients([])).toThrow('no gradients');
  });
});

describe('accumulated gradients', () => {
  it.each([{ accumulate: 2 }, { accumulate: 12 }, { accumulate: 3, guarded: true }])(
    'make the update of the whole batch, to rounding: %o',
    async (options) => {
      await using whole = await make();
      await using parts = await make(options);
      expectClose(await curves(parts, 20), await curves(whole, 20));
      expect(await bytesOf(parts)).not.toEqual(await bytesOf(await make()));
    },
  );

  it('go on from a checkpoint bit for bit', async () => {
    await using straight = await make({ accumulate: 4 });
    await train(straight, { steps: 7 });
    await using before = await make({ accumulate: 4 });
    await train(before, { steps: 3 });
    await using after = await make({ accumulate: 4 });
    after.restore(await before.snapshot());
    await train(after, { steps: 7 });
    expect(await bytesOf(after)).toEqual(await bytesOf(straight));
  });

  it('take the memory of one part: no array of the graph has the rows of the batch', async () => {
    await using trainer = await make({ accumulate: 4, batchSize: 44 });
    await trainer.advance();
    const firstAxes = prepare(trainer.graph).types.map(({ shape }) => shape[0] ?? 0);
    expect(firstAxes).toContain(11);
    expect(firstAxes).not.toContain(44);
  });

  it('a part that is not finite spoils its step alone, where the trainer is guarded', async () => {
    const spoilt = (step: number) => (step === 2 ? [1, NaN] : [1, 3]);
    const trainer = await Trainer.create({
      backend: float32Backend(),
      network: numberNetwork,
      objective: squaredDistance,
      data: dataFrom(spoilt),
      optimizer: sgd({ learningRate: 0.25 }),
      batchSize: 2,
      seed: 0,
      accumulate: 2,
      guarded: true,
    });
    const seen: number[] = [];
    for await (const { loss } of trainer.steps({ until: 5 })) seen.push((await loss.read()).item());
    expect(seen.map(Number.isFinite)).toEqual([true, true, false, true, true]);
    // 2 + 2/2ⁿ after the four steps that count.
    expect((await trainer.parameters()).w.item()).toBeCloseTo(2 + 2 / 16, 6);
    await trainer.dispose();
  });

  it('dropout drops of a row what it drops of it in the whole batch', async () => {
    const unet = songUNet({ kind: 'song-unet', featureShape: [1, 4, 4], channels: 4, channelMultipliers: [1], blocks: 1, attentionResolutions: [], dropout: 0.5 }); // prettier-ignore
    const losses = async (accumulate: number) => {
      await using trainer = await Trainer.create({
        backend: float32Backend(),
        network: unet,
        objective: createObjective({ kind: 'flow-matching' }),
        data: { batch: (key: RandomKey, step, size) => ({ x: key.fold(step).normal([size, 1, 4, 4]) }) },
        optimizer: sgd({ learningRate: 0.1 }),
        // As many rows as numbers for each channel: what is a row is not told by the size.
        batchSize: 2,
        seed: 1,
        accumulate,
      });
      const seen: number[] = [];
      for await (const { loss } of trainer.steps({ until: 3 })) seen.push((await loss.read()).item());
      return seen;
    };
    const [whole, parts] = [await losses(1), await losses(2)];
    parts.forEach((loss, i) => expect(loss).toBeCloseTo(whole[i]!, 4));
  });

  it('a batch that cannot be taken in so many parts, and a loss that couples its rows, are refused', async () => {
    await expect(make({ accumulate: 5 })).rejects.toThrow(
      'a batch of 12 rows cannot be taken in 5 equal parts',
    );
    await expect(make({ accumulate: 0 })).rejects.toThrow('accumulate is a whole number from 1, got 0');
    const coupled: Objective<typeof numberNetwork, ReturnType<typeof numberNetwork.init>, Numbers, object> = {
      name: 'coupled',
      couplesRows: true,
      draw: () => ({}),
      loss: ({ params: { w }, batch: { x } }) => ({ loss: mean(x).sub(w).mul(mean(x).sub(w)), metrics: {} }),
    };
    const common = {
      ...{ backend: float32Backend(), network: numberNetwork, objective: coupled, seed: 0, batchSize: 2 },
      ...{ data: dataFrom(() => [1, 2]), optimizer: sgd({ learningRate: 0.1 }) },
    };
    await expect(Trainer.create({ ...common, accumulate: 2 })).rejects.toThrow('"coupled" couples the rows');
    await using trainer = await Trainer.create(common);
    await expect(trainer.gradients({ to: 1 })).rejects.toThrow('"coupled" couples the rows');
    expect((await trainer.gradients()).rows).toBe(2);
    const odd = { ...coupled, couplesRows: false, draw: () => ({ table: hostArray([1, 2, 3]) }) };
    await expect(Trainer.create({ ...common, objective: odd, accumulate: 2 })).rejects.toThrow(
      /"table" is .*neither a scalar nor 2 rows.*rowsOf/,
    );
  });
});

describe('for await over steps', () => {
  it('gives every result until its turn is over', async () => {
    await using trainer = await make();
    const seen: number[] = [];
    for await (const { step, loss } of trainer.steps({ until: 6 })) {
      expect(Number.isFinite((await loss.read()).item())).toBe(true);
      seen.push(step);
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    await using straight = await make();
    await train(straight, { steps: 6 });
    expect(await bytesOf(trainer)).toEqual(await bytesOf(straight));
  });

  it('ends with the reason of its signal, and leaves a trainer that goes on', async () => {
    await using trainer = await make();
    const controller = new AbortController();
    const loop = async () => {
      for await (const { step } of trainer.steps({ until: 9, signal: controller.signal })) {
        if (step === 3) controller.abort(new Error('enough'));
      }
    };
    await expect(loop()).rejects.toThrow('enough');
    expect(trainer.step).toBe(3);
    for await (const { step } of trainer.steps({ until: 9 })) if (step === 5) break;
    expect((await trainer.advance()).step).toBe(6);
  });
});
