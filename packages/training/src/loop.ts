/**
 * The training loop: runs of one or several steps until there are enough, none of which goes beyond a checkpoint. It
 * reads the loss only when it is logged, and hands metrics, progress and checkpoints to whoever asked for them. It
 * draws no bar and writes no file, so it runs in a browser as in Node.
 */
import { ArgumentError, treePaths, type HostArray, type Tree } from '@meanflow/core';
import { DivergenceError } from './errors.js';
import { PendingLosses } from './pending-losses.js';
import type { StepResult } from './step-program.js';
import { Throughput } from './throughput.js';
import { stateTree, type Trainer, type TrainState } from './trainer.js';

/** One line of metrics: what was seen at a step. */
export interface MetricsRecord {
  /** The update, counted from 1. */
  readonly step: number;
  readonly loss: number;
  /** The objective's and the optimizer's metrics, `learningRate` and `samplesPerSecond`. */
  readonly [metric: string]: number;
}

/** What a progress bar shows. */
export interface Progress {
  /** Updates made. */
  readonly step: number;
  /** Updates to be made in all. */
  readonly steps: number;
  /** The loss that was last read, if any. */
  readonly loss: number | undefined;
  /** Over the last few seconds; 0 before the first step. */
  readonly stepsPerSecond: number;
  readonly samplesPerSecond: number;
  /** Since this call of `train`. */
  readonly secondsElapsed: number;
  /** At the present pace; undefined before there is one. */
  readonly secondsLeft: number | undefined;
}

/** The part of an `AbortSignal` that the loop looks at. */
export interface StopSignal {
  readonly aborted: boolean;
}

export interface TrainOptions<Params extends Tree<HostArray> = Tree<HostArray>> {
  /** Updates in all, those made before this call included. */
  readonly steps: number;
  /** Metrics are read at the first step, at every multiple of this, and at the last step. 100 by default. */
  readonly logEvery?: number;
  /** A checkpoint is offered at every multiple of this, and at the end. By default only at the end. */
  readonly checkpointEvery?: number;
  /** Receives the metrics of a logged step. */
  readonly onMetrics?: (record: MetricsRecord) => void | Promise<void>;
  /** Receives a finite state to keep. */
  readonly onCheckpoint?: (state: TrainState<Params>) => void | Promise<void>;
  /** Called about ten times a second, and at the end. */
  readonly onProgress?: (progress: Progress) => void;
  /** Stops after the current run of steps (`stepsPerRun` of the trainer), with a checkpoint. */
  readonly signal?: StopSignal;
}

export interface TrainSummary {
  /** Updates made in all. */
  readonly step: number;
  /** Whether all steps were made: false when the signal stopped the loop. */
  readonly completed: boolean;
  readonly seconds: number;
  /** Over this call; 0 when there was nothing to do. */
  readonly stepsPerSecond: number;
  readonly samplesPerSecond: number;
}

/**
 * Trains until `steps` updates have been made.
 *
 * @throws {ArgumentError} when a count is out of range, or the trainer is already beyond `steps`
 * @throws {DivergenceError} when the loss or a parameter is infinite or not a number, naming the step
 */
export async function train<Params extends Tree<HostArray>>(
  trainer: Trainer<Params>,
  options: TrainOptions<Params>,
): Promise<TrainSummary> {
  const { steps, logEvery = 100, checkpointEvery = Infinity, signal } = options;
  checkTrainOptions(trainer, options);
  const { onMetrics, onCheckpoint, onProgress } = options;
  const first = trainer.step;
  const throughput = new Throughput(first);
  const losses = new PendingLosses();
  let kept = -1;

  const report = (): void => {
    const stepsPerSecond = throughput.recent(trainer.step);
    onProgress?.({
      step: trainer.step,
      steps,
      loss: losses.last,
      stepsPerSecond,
      samplesPerSecond: stepsPerSecond * trainer.batchSize,
      secondsElapsed: throughput.seconds(),
      secondsLeft: stepsPerSecond > 0 ? (steps - trainer.step) / stepsPerSecond : undefined,
    });
  };
  const log = async ({ step, metrics }: StepResult): Promise<void> => {
    const isLogged = step === 1 || step % logEvery === 0 || step === steps;
    if (isLogged || losses.isFull) await losses.read(step);
    if (!isLogged || onMetrics === undefined) return;
    const learningRate = trainer.learningRate(step);
    await onMetrics({
      step,
      loss: losses.last!,
      ...(await readAll(metrics)),
      ...(learningRate !== undefined && { learningRate }),
      samplesPerSecond: throughput.recent(trainer.step) * trainer.batchSize,
    });
  };
  const keep = async (): Promise<void> => {
    await losses.read();
    if (onCheckpoint === undefined || kept === trainer.step) return;
    const state = await trainer.snapshot();
    checkFinite(state);
    await onCheckpoint(state);
    kept = trainer.step;
  };

  try {
    while (trainer.step < steps && !signal?.aborted) {
      const nextCheckpoint = (Math.floor(trainer.step / checkpointEvery) + 1) * checkpointEvery;
      const results = await trainer.advanceRun(Math.min(steps, nextCheckpoint));
      for (const { step, loss } of results) losses.add(step, loss);
      try {
        for (const result of results) await log(result);
      } finally {
        for (const { metrics } of results) Object.values(metrics).forEach((metric) => metric.dispose());
      }
      if (trainer.step % checkpointEvery === 0) await keep();
      if (throughput.isDue(trainer.step)) {
        report();
        await nextTask();
      }
    }
    await keep();
    report();
  } finally {
    losses.dispose();
  }
  const seconds = throughput.seconds();
  const stepsPerSecond = trainer.step > first ? (trainer.step - first) / seconds : 0;
  return {
    step: trainer.step,
    completed: trainer.step === steps,
    seconds,
    stepsPerSecond,
    samplesPerSecond: stepsPerSecond * trainer.batchSize,
  };
}

async function readAll(
  values: Readonly<Record<string, { read(): Promise<HostArray> }>>,
): Promise<Record<string, number>> {
  const read = Object.entries(values).map(
    async ([name, value]) => [name, (await value.read()).item()] as const,
  );
  return Object.fromEntries(await Promise.all(read));
}

/** Lets timers, signals and other work have their turn: a backend may run without ever leaving the microtasks. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** @throws {ArgumentError} when a count is out of range, or the trainer is already beyond `steps` */
export function checkTrainOptions(
  trainer: Pick<Trainer, 'step'>,
  { steps, logEvery = 1, checkpointEvery = 1 }: Pick<TrainOptions, 'steps' | 'logEvery' | 'checkpointEvery'>,
): void {
  for (const [name, value] of Object.entries({ steps, logEvery, checkpointEvery })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new ArgumentError(`train: ${name} is a whole number from 1, got ${value}.`);
    }
  }
  if (trainer.step > steps) {
    throw new ArgumentError(
      `train: ${trainer.step} steps are made already, more than the ${steps} asked for.`,
    );
  }
}

/** @throws {DivergenceError} naming the first leaf that holds a value which is not finite */
function checkFinite(state: TrainState): void {
  const { params, optimizer, ema } = stateTree(state);
  // Parameters first: what they hold explains the others.
  const leaves = [{ params }, { optimizer }, { ema }].flatMap((part) => treePaths<HostArray>(part));
  for (const { path, leaf } of leaves) {
    if (leaf.data.every((value: number) => Number.isFinite(value))) continue;
    throw new DivergenceError(
      `After step ${state.step}, "${path}" holds values that are not finite, so it was not saved: the run diverged. ` +
        'Lower the learning rate, warm it up for longer, or clip gradients.',
      state.step,
    );
  }
}
