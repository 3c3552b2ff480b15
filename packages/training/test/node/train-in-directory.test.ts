/** Runs in directories: what they leave, and that stopping and going on changes nothing. */
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DataError, hostArray } from '@meanflow/core';
import { encodeSafetensors } from '@meanflow/formats';
import {
  adamW,
  checkpointParameters,
  DivergenceError,
  ema,
  sgd,
  trainingKeys,
  type Checkpoint,
} from '../../src/index.js';
import {
  finalCheckpointPath,
  loadCheckpoint,
  readRunConfig,
  readRunMetrics,
  RunDirectory,
  trainInDirectory,
  type DamagedCheckpoint,
  type ResumePoint,
} from '../../src/node.js';
import { withFolder } from '../support/child.js';
import { numberTrainer, squaredDistance } from '../support/number-problem.js';
import { tinyNetwork } from '../support/tiny-problem.js';
import { outcomeOf, trainTiny, type TrainTinyOptions } from '../support/train-tiny.js';

const STEPS = 23;

/** A run in a folder, from the beginning. */
async function begin(folder: string, steps: number, options?: TrainTinyOptions) {
  await using run = await RunDirectory.create(folder, { tiny: true });
  return await trainTiny(run, steps, options);
}

/** A run that goes on. */
async function goOn(folder: string, steps: number, options?: TrainTinyOptions) {
  await using run = await RunDirectory.resume(folder, { tiny: true, steps });
  return await trainTiny(run, steps, options);
}

/** Options that stop a run after a step. */
function stopAfter(step: number): TrainTinyOptions {
  const controller = new AbortController();
  return { signal: controller.signal, onStep: (at) => void (at === step && controller.abort()) };
}

const checkpoint = (folder: string, step: number): string =>
  join(folder, 'checkpoints', `step-${String(step).padStart(8, '0')}.safetensors`);

let straight: Awaited<ReturnType<typeof outcomeOf>>;
beforeAll(() =>
  withFolder(async (folder) => {
    await begin(folder, STEPS);
    straight = await outcomeOf(folder);
  }),
);

/** Where the error grows by a fifth with every step, at a rate of which the half converges. */
const growing: typeof squaredDistance = {
  ...squaredDistance,
  loss: (given) => {
    const { loss, metrics } = squaredDistance.loss(given);
    return { loss, metrics: { ...metrics, squaredError: loss } };
  },
};

describe('a run that goes back', () => {
  it('leaves no checkpoint of steps that diverged, from which it would go on when it is killed', () =>
    withFolder(async (folder) => {
      await using run = await RunDirectory.create(folder, {});
      await using trainer = await numberTrainer(() => [2, 2], 1.05, [0.5], { objective: growing });
      const controller = new AbortController();
      let left: string[] = [];
      let backTo = NaN;
      await trainInDirectory(trainer, {
        run,
        steps: 200,
        info: {},
        logEvery: 5,
        checkpointEvery: 10,
        keepCheckpoints: 10,
        onDivergence: 'back',
        signal: controller.signal,
        onBack: async (step) => {
          backTo = step;
          left = await readdir(join(folder, 'checkpoints'));
          controller.abort();
        },
      });
      expect(backTo).toBe(20);
      expect(left.sort()).toEqual([10, 20].map((step) => basename(checkpoint(folder, step))));
      expect(await loadCheckpoint(folder)).toMatchObject({ step: 20, rateScale: 0.5 });
    }));
});

describe('a run', () => {
  it('leaves the final checkpoint, the last few before it, and a line for each logged step', () =>
    withFolder(async (folder) => {
      const summary = await begin(folder, STEPS);
      const final = finalCheckpointPath(folder);
      expect(summary).toMatchObject({ step: STEPS, completed: true, checkpoint: final, resumedFrom: 0 });
      expect((await readdir(folder)).sort()).toEqual([
        'checkpoints',
        'config.json',
        'final.safetensors',
        'metrics.jsonl',
      ]);
      expect(await readdir(join(folder, 'checkpoints'))).toEqual([
        'step-00000015.safetensors',
        'step-00000020.safetensors',
      ]);
      const loaded = await loadCheckpoint(folder);
      const facts = {
        step: STEPS,
        seed: 1,
        batchSize: 8,
        averages: ['0.5', '0.9'],
        info: { problem: 'ring' },
      };
      expect(loaded).toMatchObject({ ...facts, source: `"${final}"` });
      const metrics = await readRunMetrics(folder);
      expect(metrics.map(({ step }) => step)).toEqual(Array.from({ length: STEPS }, (_, i) => i + 1));
      expect(Object.keys(metrics[0])).toEqual(
        expect.arrayContaining(['loss', 'learningRate', 'gradientNorm', 'samplesPerSecond']),
      );
    }));

  it('is the same for the same seed, and learns', async () => {
    await withFolder(async (folder) => {
      await begin(folder, STEPS);
      expect(await outcomeOf(folder)).toEqual(straight);
      const initial = tinyNetwork().init(trainingKeys(1).init);
      const trained = await checkpointParameters(await loadCheckpoint(folder), initial, '0.9');
      expect(trained).not.toEqual(initial);
    });
  });

  it('that diverges keeps the checkpoints from before, and gives up its lock', () =>
    withFolder(async (folder) => {
      const optimizer = sgd({ learningRate: (step) => (step < 12 ? 1e-3 : Infinity) });
      const error: unknown = await begin(folder, STEPS, { optimizer }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(DivergenceError);
      expect(await readdir(join(folder, 'checkpoints'))).toEqual([
        'step-00000010.safetensors',
        'step-00000012.safetensors',
      ]);
      expect(await readdir(folder)).not.toContain('.meanflow-lock');
      expect((await loadCheckpoint(folder)).step).toBe(12);
      const lines = (await readFile(join(folder, 'divergences.jsonl'), 'utf8')).trim().split('\n');
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
        expect.objectContaining({
          step: 13,
          kind: 'state',
          cause: 'optimization',
          action: 'stopped',
          seed: 1,
        }),
      ]);
    }));

  it('says so when a checkpoint cannot be written', () =>
    withFolder(async (folder) => {
      const onStep = (step: number): unknown =>
        step === 3 ? rm(join(folder, 'checkpoints'), { recursive: true }) : 0;
      const trained = begin(folder, STEPS, { onStep });
      await expect(trained).rejects.toThrow(DataError);
      await expect(trained).rejects.toThrow(
        'step-00000005.safetensors" cannot be written: there is no such file',
      );
    }));
});

describe('a run that goes on', () => {
  it.each([1, 7, 10, 22])('after a stop at step %i ends with the same bytes and metrics', (step) =>
    withFolder(async (folder) => {
      const stopped = await begin(folder, STEPS, stopAfter(step));
      expect(stopped).toMatchObject({ step, completed: false, checkpoint: checkpoint(folder, step) });
      let from: ResumePoint | undefined;
      const summary = await goOn(folder, STEPS, { onResume: (point) => (from = point) });
      expect(from).toEqual({ step, source: `"${checkpoint(folder, step)}"`, damaged: [] });
      expect(summary).toMatchObject({ step: STEPS, completed: true, resumedFrom: step });
      expect(await outcomeOf(folder)).toEqual(straight);
    }),
  );

  it('without a checkpoint begins anew', () =>
    withFolder(async (folder) => {
      await begin(folder, STEPS, stopAfter(4));
      await rm(checkpoint(folder, 4));
      expect(await goOn(folder, STEPS)).toMatchObject({ resumedFrom: 0 });
      expect(await outcomeOf(folder)).toEqual(straight);
    }));

  it('cuts away metrics that came after its checkpoint', () =>
    withFolder(async (folder) => {
      await begin(folder, STEPS, stopAfter(13));
      await rm(checkpoint(folder, 13));
      expect(await goOn(folder, STEPS)).toMatchObject({ resumedFrom: 10 });
      expect(await outcomeOf(folder)).toEqual(straight);
    }));

  it('for longer than it was meant to ends like one that was meant to', () =>
    withFolder(async (folder) => {
      await begin(folder, 10);
      expect(await goOn(folder, STEPS)).toMatchObject({ resumedFrom: 10, completed: true });
      expect(await outcomeOf(folder)).toEqual(straight);
    }));

  it('when it is done changes nothing, and cannot become shorter', () =>
    withFolder(async (folder) => {
      await begin(folder, STEPS);
      expect(await goOn(folder, STEPS)).toMatchObject({
        resumedFrom: STEPS,
        completed: true,
        seconds: expect.any(Number) as number,
      });
      expect(await outcomeOf(folder)).toEqual(straight);
      await expect(goOn(folder, 5)).rejects.toThrow('23 steps are made already, more than the 5 asked for.');
      expect(await readRunConfig(folder)).toEqual({ tiny: true, steps: STEPS });
      expect(await outcomeOf(folder)).toEqual(straight);
    }));

  it.each<[string, TrainTinyOptions, string]>([
    ['seed', { seed: 2 }, 'was made with seed 1, but the run is to go on with 2'],
    ['batch size', { batchSize: 4 }, 'was made with batchSize 8, but the run is to go on with 4'],
    [
      'width',
      { width: 9 },
      'is a checkpoint of another architecture: "params/layers/0/bias" is float32[8], expected float32[9]',
    ],
    [
      'optimizer',
      { optimizer: adamW({ learningRate: 1e-3 }) },
      'is a checkpoint of another optimizer or architecture',
    ],
    [
      'averages',
      { ema: ema({ decays: [0.5] }) },
      'is a checkpoint with other averages, or of another architecture: "ema/0.9/',
    ],
  ])('with another %s is refused, and nothing is touched', (_, options, message) =>
    withFolder(async (folder) => {
      await begin(folder, STEPS, stopAfter(7));
      const before = await readFile(join(folder, 'metrics.jsonl'));
      const resumed = goOn(folder, STEPS, options);
      await expect(resumed).rejects.toThrow(DataError);
      await expect(resumed).rejects.toThrow(message);
      expect(await readFile(join(folder, 'metrics.jsonl'))).toEqual(before);
      expect(await goOn(folder, STEPS)).toMatchObject({ resumedFrom: 7 });
      expect(await outcomeOf(folder)).toEqual(straight);
    }),
  );
});

describe('a damaged checkpoint', () => {
  it('is passed over for the one before, and named', () =>
    withFolder(async (folder) => {
      await begin(folder, STEPS, stopAfter(13));
      const damaged = checkpoint(folder, 13);
      await truncate(damaged, 1000);
      const passedOver: DamagedCheckpoint[] = [];
      const loaded = await loadCheckpoint(folder, { onPassedOver: (each) => passedOver.push(each) });
      expect(loaded.step).toBe(10);
      expect(passedOver).toMatchObject([{ path: damaged, problem: expect.stringContaining('truncated') }]);
      let from: ResumePoint | undefined;
      await goOn(folder, STEPS, { onResume: (point) => (from = point) });
      expect(from).toMatchObject({ step: 10, damaged: [{ path: damaged }] });
      expect(await outcomeOf(folder)).toEqual(straight);
    }));

  it('is one with a single wrong bit, too', () =>
    withFolder(async (folder) => {
      await begin(folder, STEPS, stopAfter(13));
      const damaged = checkpoint(folder, 13);
      const bytes = await readFile(damaged);
      bytes[bytes.length - 5] ^= 1;
      await writeFile(damaged, bytes);
      let from: ResumePoint | undefined;
      await goOn(folder, STEPS, { onResume: (point) => (from = point) });
      expect(from?.damaged).toMatchObject([
        { problem: expect.stringContaining('its checksum does not match') },
      ]);
      expect(await outcomeOf(folder)).toEqual(straight);
    }));

  it('is an error with the one to go back to, where that is asked for', () =>
    withFolder(async (folder) => {
      await begin(folder, STEPS, stopAfter(13));
      const damaged = checkpoint(folder, 13);
      await truncate(damaged, 1000);
      for (const attempt of [
        () => goOn(folder, STEPS, { onDamage: 'fail' }),
        () => loadCheckpoint(folder, { onDamage: 'fail' }),
      ]) {
        await expect(attempt()).rejects.toThrow(DataError);
        await expect(attempt()).rejects.toThrow(`"${damaged}" is not an intact safetensors file`);
        await expect(attempt()).rejects.toThrow(
          `The latest intact checkpoint is "${checkpoint(folder, 10)}" (step 10)`,
        );
      }
    }));

  it('counts as the latest when it is the final one', () =>
    withFolder(async (folder) => {
      await begin(folder, STEPS);
      await writeFile(finalCheckpointPath(folder), 'garbage');
      await expect(goOn(folder, STEPS, { onDamage: 'fail' })).rejects.toThrow(
        'final.safetensors" is not an intact safetensors file',
      );
      expect(await goOn(folder, STEPS)).toMatchObject({ resumedFrom: 20 });
      expect(await outcomeOf(folder)).toEqual(straight);
    }));

  it('is the end when there is no other, with what is wrong with each', () =>
    withFolder(async (folder) => {
      await begin(folder, STEPS, stopAfter(8));
      await truncate(checkpoint(folder, 8), 0);
      await truncate(checkpoint(folder, 5), 100);
      const resumed = goOn(folder, STEPS);
      await expect(resumed).rejects.toThrow('No intact checkpoint is left: begin the run anew.');
      for (const step of [5, 8])
        await expect(resumed).rejects.toThrow(`"${checkpoint(folder, step)}" is not`);
    }));

  it('may be what is no file at all: it neither hangs nor ends the program', () =>
    withFolder(async (folder) => {
      await begin(folder, STEPS, stopAfter(13));
      await mkdir(checkpoint(folder, 17));
      await symlink(join(folder, 'nowhere'), checkpoint(folder, 16));
      await symlink(checkpoint(folder, 14), checkpoint(folder, 14));
      execFileSync('mkfifo', [checkpoint(folder, 18)]);
      const passedOver: DamagedCheckpoint[] = [];
      expect((await loadCheckpoint(folder, { onPassedOver: (each) => passedOver.push(each) })).step).toBe(13);
      expect(passedOver.map(({ problem }) => /: (.*)$/.exec(problem)?.[1])).toEqual([
        'it is a pipe, not a file.',
        'it is a folder, not a file.',
        'there is no such file or directory (ENOENT).',
        expect.stringContaining('leads back to itself'),
      ]);
      // Those that were to make room are ours.
      await goOn(folder, 60);
      expect((await stat(checkpoint(folder, 17))).isDirectory()).toBe(true);
      expect((await stat(checkpoint(folder, 18))).isFIFO()).toBe(true);
    }));
});

describe('a checkpoint that is not of this run', () => {
  it('holds another step than its name says, and is refused', () =>
    withFolder(async (folder) => {
      await begin(folder, STEPS, stopAfter(13));
      await copyFile(checkpoint(folder, 10), checkpoint(folder, 15));
      for (const attempt of [() => goOn(folder, STEPS), () => loadCheckpoint(folder)]) {
        await expect(attempt()).rejects.toThrow(`step-00000015.safetensors" holds step 10, which is not`);
      }
    }));

  it('is refused by who knows what the run is', () =>
    withFolder(async (folder) => {
      await begin(folder, STEPS, stopAfter(13));
      const checkCheckpoint = ({ info }: Checkpoint) => {
        throw new DataError(`of another ${String(info.problem)}`);
      };
      await expect(goOn(folder, STEPS, { checkCheckpoint })).rejects.toThrow('of another ring');
    }));
});

describe('loadCheckpoint', () => {
  it('takes the latest of a directory, or a file, and says what is not there', () =>
    withFolder(async (folder) => {
      await begin(folder, 10);
      await goOn(folder, STEPS, stopAfter(12));
      // The final checkpoint of the shorter run is still there, and older.
      expect((await loadCheckpoint(finalCheckpointPath(folder))).step).toBe(10);
      expect((await loadCheckpoint(folder)).step).toBe(12);
      await expect(loadCheckpoint(join(folder, 'none'))).rejects.toThrow(
        'none" cannot be read: there is no such file',
      );
      await expect(loadCheckpoint(join(folder, 'checkpoints'))).rejects.toThrow('holds no checkpoint');
      const foreign = join(folder, 'foreign.safetensors');
      await writeFile(foreign, encodeSafetensors({ a: hostArray(1) }));
      await expect(loadCheckpoint(foreign)).rejects.toThrow(
        `"${foreign}" is a safetensors file but no checkpoint`,
      );
      await copyFile(foreign, checkpoint(folder, 14));
      expect((await loadCheckpoint(folder)).step).toBe(12);
    }));
});
