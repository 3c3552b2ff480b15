/** A run that begins with given parameters, in memory and in a folder, which never needs them again. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RandomKey, ShapeError } from '@meanflow/core';
import { meanFlow, type MlpParameters } from '@meanflow/models';
import { adamW, ema, Trainer } from '../../src/index.js';
import { loadCheckpoint, RunDirectory, trainInDirectory } from '../../src/node.js';
import { withFolder } from '../support/child.js';
import { float32Backend } from '../support/float32-backend.js';
import { ring, tinyNetwork } from '../support/tiny-problem.js';
import { outcomeOf } from '../support/train-tiny.js';

const network = tinyNetwork();
const given = (): MlpParameters => network.init(RandomKey.fromSeed(99).fold('elsewhere'));

const trainer = (init?: MlpParameters): Promise<Trainer<MlpParameters>> =>
  Trainer.create({
    backend: float32Backend(),
    network,
    objective: meanFlow(),
    data: ring,
    optimizer: adamW({ learningRate: 1e-2 }),
    ema: ema({ decays: [0.5, 0.9] }),
    batchSize: 8,
    seed: 1,
    ...(init && { init }),
  });

describe('a trainer with parameters to begin with', () => {
  it('has them, every average as a copy of them, and an optimizer that knows nothing', async () => {
    const init = given();
    await using warm = await trainer(init);
    await using cold = await trainer();
    const [state, without] = [await warm.snapshot(), await cold.snapshot()];
    expect(state.params).toEqual(given());
    expect(state.params).not.toEqual(without.params);
    expect(state.ema).toEqual({ '0.5': given(), '0.9': given() });
    expect(state.optimizer).toEqual(without.optimizer);
    expect(state.step).toBe(0);
  });

  it('makes the step that a trainer at that state makes, and leaves what was given as it was', async () => {
    const init = given();
    await using warm = await trainer(init);
    await using other = await trainer();
    other.restore({
      ...(await other.snapshot()),
      ...{ params: given(), ema: { '0.5': given(), '0.9': given() } },
    });
    await warm.advance();
    await other.advance();
    expect(await warm.snapshot()).toEqual(await other.snapshot());
    expect(init).toEqual(given());
    expect(warm.initialState.params).toEqual(given());
  });

  it('takes no others than those of its network', async () => {
    const wide = tinyNetwork(9).init(RandomKey.fromSeed(0));
    await expect(trainer(wide)).rejects.toThrow(ShapeError);
    await expect(trainer(wide)).rejects.toThrow(
      'Trainer.create: init: "layers/0/bias" is float32[9], and the network\'s is float32[8].',
    );
    const { out: _, ...without } = given();
    await expect(trainer(without as MlpParameters)).rejects.toThrow('Trainer.create: init');
  });
});

describe('a run in a folder that begins with given parameters', () => {
  const first = 'step-00000000.safetensors';

  async function work(
    folder: string,
    steps: number,
    init: MlpParameters | undefined,
    isNew: boolean,
    stop?: number,
  ) {
    const config = { warm: true };
    await using run = isNew
      ? await RunDirectory.create(folder, config)
      : await RunDirectory.resume(folder, config);
    await using warm = await trainer(init);
    const controller = new AbortController();
    if (stop === 0) controller.abort();
    return await trainInDirectory(warm, {
      run,
      info: {},
      steps,
      checkpointEvery: 4,
      keepCheckpoints: 9,
      signal: controller.signal,
      ...(init && { checkpointAtStart: true }),
    });
  }

  it('keeps what it begins with, and goes on to the same bytes without being given it again', async () => {
    await withFolder(async (folder) => {
      const [straight, resumed] = [join(folder, 'straight'), join(folder, 'resumed')];
      await work(straight, 10, given(), true);
      expect(await readdir(join(straight, 'checkpoints'))).toContain(first);
      // Stopped before its first step, and after another checkpoint was lost.
      await work(resumed, 10, given(), true, 0);
      expect(await readdir(join(resumed, 'checkpoints'))).toEqual([first]);
      const { tensors } = await loadCheckpoint(resumed);
      expect(tensors.has('params/out/kernel')).toBe(true);
      const summary = await work(resumed, 10, undefined, false);
      expect(summary.completed).toBe(true);
      expect((await outcomeOf(resumed)).final).toEqual((await outcomeOf(straight)).final);
      await rm(join(resumed, 'final.safetensors'));
      await work(resumed, 10, undefined, false);
      expect((await outcomeOf(resumed)).final).toEqual((await outcomeOf(straight)).final);
    });
  });
});
