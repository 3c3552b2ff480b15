/** What a caller does between two calls, or in the middle of one: nothing of it corrupts a training. */
import {
  ArgumentError,
  BusyError,
  DisposedError,
  HostArray,
  hostArray,
  type RandomKey,
  type DeviceArray,
} from '@meanflow/core';
import { createObjective, flowMatching, mlp, songUNet } from '@meanflow/models';
import { adam, train, Trainer, type BatchSource } from '../src/index.js';
import { float32Backend } from './support/float32-backend.js';
import { numberTrainer } from './support/number-problem.js';
import { ring, tinyTrainer } from './support/tiny-problem.js';

const network = mlp({ kind: 'mlp', featureShape: [2], width: 8, depth: 1 });

function trainerOn(batch: BatchSource<{ x: HostArray<'float32'> }>['batch']) {
  return Trainer.create({
    backend: float32Backend(),
    network,
    objective: flowMatching(),
    optimizer: adam({ learningRate: 1e-2 }),
    batchSize: 8,
    seed: 0,
    data: { batch },
  });
}

async function lossesOf(trainer: Awaited<ReturnType<typeof trainerOn>>, steps = 8): Promise<number[]> {
  const losses: number[] = [];
  await train(trainer, { steps, logEvery: 1, onMetrics: ({ loss }) => void losses.push(loss) });
  await trainer.dispose();
  return losses;
}

describe('data', () => {
  it('may come in one buffer that is filled again', async () => {
    const fresh = (key: RandomKey, step: number, size: number) => ({ x: key.fold(step).normal([size, 2]) });
    const buffer = new Float32Array(16);
    const reused = (key: RandomKey, step: number, size: number) => {
      buffer.set(key.fold(step).normal([size, 2]).data);
      return { x: new HostArray('float32', [size, 2], buffer) };
    };
    const expected = await lossesOf(await trainerOn(fresh));
    expect(new Set(expected).size).toBe(8);
    expect(await lossesOf(await trainerOn(reused))).toEqual(expected);
  });

  const classes = mlp({ kind: 'mlp', featureShape: [2], width: 8, depth: 1, classCount: 3 });
  const labelled = (label: (step: number) => unknown) =>
    Trainer.create({
      backend: float32Backend(),
      network: classes,
      objective: flowMatching({ kind: 'flow-matching', labelDrop: { probability: 0.1 } }),
      optimizer: adam({ learningRate: 1e-2 }),
      batchSize: 8,
      seed: 0,
      data: { batch: (key, step, size) => ({ ...ring.batch(key, step, size), ...(label(step) as object) }) },
    });
  const labels = (...values: number[]) => ({ label: hostArray(values, { dtype: 'int32' }) });

  it.each<[string, number, string]>([
    [
      'negative',
      -1,
      "The batch of step 3: label: row 5 has label -1, but the network's 3 classes are 0 to 2;",
    ],
    ['the null class', 3, 'row 5 has label 3'],
    ['beyond all', 1000, 'row 5 has label 1000'],
  ])('with a label that is %s stops the training at its step', async (_, wrong, message) => {
    const trainer = await labelled((step) => labels(0, 1, 2, 0, 1, step === 2 ? wrong : 2, 0, 1));
    const training = train(trainer, { steps: 5 });
    await expect(training).rejects.toThrow(ArgumentError);
    await expect(training).rejects.toThrow(message);
    expect(trainer.step).toBe(2);
    await trainer.dispose();
  });

  it('without labels for a network with classes is refused', async () => {
    await expect(labelled(() => ({}))).rejects.toThrow(
      'The network has 3 classes, but the batch of step 1 has no "label" (it has: x).',
    );
    await expect(labelled(() => ({ labels: labels(0).label }))).rejects.toThrow('(it has: labels, x)');
    await expect(labelled(() => labels(0, 1))).rejects.toThrow('label must be [8]');
    await expect(labelled(() => ({ label: ring }))).rejects.toThrow(/label is a HostArray int32\[8\]/);
  });
});

describe('dropout', () => {
  const unet = songUNet({
    kind: 'song-unet',
    featureShape: [1, 4, 4],
    channels: 4,
    channelMultipliers: [1],
    blocks: 1,
    attentionResolutions: [],
    dropout: 0.3,
  });
  const batch = (key: RandomKey, step: number, size: number) => ({
    x: key.fold(step).normal([size, 1, 4, 4]),
  });
  const losses = async (objective: ReturnType<typeof flowMatching>, net = unet) => {
    const trainer = await Trainer.create({
      backend: float32Backend(),
      network: net,
      objective,
      optimizer: adam({ learningRate: 1e-2 }),
      batchSize: 2,
      seed: 0,
      data: { batch },
    });
    const seen: number[] = [];
    await train(trainer, { steps: 2, logEvery: 1, onMetrics: ({ loss }) => void seen.push(loss) });
    await trainer.dispose();
    return seen;
  };

  it('acts in training by itself', async () => {
    const objective = flowMatching();
    expect(await losses(objective)).not.toEqual(await losses(objective, { ...unet, drawDropout: undefined }));
  });
});

describe('calls that overlap', () => {
  it('a second train() is refused, and the first is as it would have been alone', async () => {
    const alone = await tinyTrainer(float32Backend());
    await train(alone, { steps: 6 });
    const trainer = await tinyTrainer(float32Backend());
    const first = train(trainer, { steps: 6 });
    await expect(train(trainer, { steps: 6 })).rejects.toThrow(
      new BusyError(
        'train() was called on a trainer that an earlier train() is still training; await that one first.',
      ),
    );
    await first;
    expect(await trainer.snapshot()).toEqual(await alone.snapshot());
    // Afterwards it may go on.
    expect(await train(trainer, { steps: 7 })).toMatchObject({ step: 7 });
    await Promise.all([alone.dispose(), trainer.dispose()]);
  });

  it('a training that failed can be followed by another', async () => {
    let broken = true;
    const trainer = await numberTrainer((step) => [broken && step === 2 ? NaN : 2, 2]);
    await expect(train(trainer, { steps: 5 })).rejects.toThrow();
    broken = false;
    await expect(train(trainer, { steps: 1, logEvery: 0 })).rejects.toThrow(ArgumentError);
    await trainer.dispose();
  });

  it('of two updates the second is refused, and so is a restoration in the middle of one', async () => {
    const trainer = await tinyTrainer(float32Backend());
    const state = await trainer.snapshot();
    const first = trainer.advance();
    await expect(trainer.advance()).rejects.toThrow(BusyError);
    await expect(trainer.gradients()).rejects.toThrow(
      'gradients() was called while advance() was under way on the same trainer; await one before the other.',
    );
    expect(() => trainer.restore(state)).toThrow(BusyError);
    dispose(await first);
    expect(trainer.step).toBe(1);
    trainer.restore(state);
    expect(trainer.step).toBe(0);
    await trainer.dispose();
  });

  it('a snapshot waits for the update under way, and is of one step', async () => {
    const expected = await tinyTrainer(float32Backend());
    dispose(await expected.advance());
    const after = await expected.snapshot();
    dispose(await expected.advance());
    const trainer = await tinyTrainer(float32Backend());
    const first = trainer.advance();
    const snapshot = trainer.snapshot();
    const parameters = trainer.parameters('0.9');
    dispose(await first);
    // The next update takes the state that is being read.
    const second = trainer.advance();
    expect(await snapshot).toEqual(after);
    expect(await parameters).toEqual(after.ema['0.9']);
    dispose(await second);
    expect(await trainer.snapshot()).toEqual(await expected.snapshot());
    await Promise.all([expected.dispose(), trainer.dispose()]);
  });

  it('dispose() waits for the update under way; nothing is done afterwards', async () => {
    const trainer = await tinyTrainer(float32Backend());
    const update = trainer.advance();
    const disposing = trainer.dispose();
    expect((await update).step).toBe(1);
    await disposing;
    await trainer.dispose();
    await expect(trainer.advance()).rejects.toThrow(
      new DisposedError('advance(): the trainer was disposed of.'),
    );
    await expect(trainer.snapshot()).rejects.toThrow(DisposedError);
    await expect(trainer.parameters()).rejects.toThrow(DisposedError);
    await expect(train(trainer, { steps: 3 })).rejects.toThrow(DisposedError);
  });

  it('a snapshot is the caller’s own', async () => {
    const trainer = await tinyTrainer(float32Backend());
    const first = await trainer.snapshot();
    first.params.out.kernel.data.fill(NaN);
    expect((await trainer.parameters()).out.kernel.data.every(Number.isFinite)).toBe(true);
    await trainer.dispose();
  });
});

it.each<[string, () => unknown, string]>([
  ['adam', () => adam({ lr: 1 } as never), 'adam has no option "lr"; it takes learningRate, beta1, beta2, epsilon, nesterov. Did you mean "learningRate"?'],
  ['adam without a rate', () => adam({} as never), 'adam: learningRate is a number or a function of the step, got undefined.'],
  ['an objective of an unknown kind', () => createObjective({ kind: 'mean-flow' } as never), 'no objective of kind "mean-flow". Did you mean "meanflow"?'],
])('%s names what it does not know', (_, make, message) => {
  expect(make).toThrow(ArgumentError);
  expect(make).toThrow(message);
}); // prettier-ignore

it('options of a trainer and of a training are named', async () => {
  await expect(Trainer.create({ batch: 3 } as never)).rejects.toThrow(/Did you mean "batchSize"/);
  const trainer = await tinyTrainer(float32Backend());
  await expect(train(trainer, { step: 3 } as never)).rejects.toThrow('Did you mean "steps"?');
  await trainer.dispose();
});

function dispose({
  loss,
  metrics,
}: {
  loss: DeviceArray;
  metrics: Readonly<Record<string, DeviceArray>>;
}): void {
  [loss, ...Object.values(metrics)].forEach((array) => array.dispose());
}
