import { ArgumentError } from '@meanflow/core';
import {
  DivergenceError,
  train,
  type MetricsRecord,
  type Progress,
  type TrainOptions,
} from '../src/index.js';
import { float32Backend } from './support/float32-backend.js';
import { numberTrainer } from './support/number-problem.js';
import { tinyTrainer } from './support/tiny-problem.js';

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
    // The squared error is watched besides.
    const metrics = reads.filter((name) => name.startsWith('metrics/') && !name.endsWith('squaredError'));
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
    expect(saved).toEqual([5, 6]);
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
