/**
 * The training loop: steps until there are enough. It reads the loss only when it is logged, and hands metrics, progress and checkpoints to whoever asked for them. It
 * draws no bar and writes no file, so it runs in a browser as in Node.
 */
import {
  ArgumentError,
  BusyError,
  drainGivingWay,
  type DeviceArray,
  type HostArray,
  type Tree,
} from '@meanflow/core';
import { checkOptions } from '@meanflow/core/validation';
import {
  describe,
  divergenceText,
  findDivergence,
  restoreCopy,
  type DivergenceReport,
  type Suspicion,
} from './divergence.js';
import { ErrorWatch } from './error-watch.js';
import { DivergenceError } from './errors.js';
import { findingNonFinite } from './finite.js';
import { PendingLosses, type ReadStep } from './pending-losses.js';
import type { StepResult } from './step-program.js';
import { Throughput } from './throughput.js';
import { trainOptionNames, type TrainOptions, type TrainSummary } from './train-options.js';
import { stateTree, type TrainState } from './train-state.js';
import type { Trainer } from './trainer.js';

/** Halvings of the learning rate before a run that goes back is given up. */
const MOST_BACKS = 10;
/** Steps in a row that are skipped before a run is given up. */
const MOST_SKIPPED = 20;
/** Errors that are watched between two logged steps, at most. */
const WATCHED = 25;

/** Thrown within the loop where training cannot go on as it was. */
class Suspected extends Error {
  override get name(): string {
    return 'Suspected';
  }

  constructor(readonly suspicion: Suspicion) {
    super(suspicion.kind);
  }
}

/** Trainers that are being trained. */
const trained = new WeakSet<object>();

/**
 * Trains until `steps` updates have been made.
 *
 * @throws {BusyError} when the trainer is being trained by another call
 * @throws {ArgumentError} when a count is out of range, or the trainer is already beyond `steps`
 * @throws {DivergenceError} when a step was not finite, or the error grew beyond all that was, and the policy is to stop or
 *   did not help. The trainer is then at the state before a step that was not finite, which was offered to be kept; where the
 *   error grew it is where that was noticed, and what was kept since `report.growth.since` has diverged too
 */
export async function train<Params extends Tree<HostArray>>(
  trainer: Trainer<Params>,
  options: TrainOptions<Params>,
): Promise<TrainSummary> {
  checkOptions<TrainOptions<Params>>('train', options, trainOptionNames);
  checkTrainOptions(trainer, options);
  if (options.onDivergence === 'skip' && !trainer.guarded) {
    throw new ArgumentError("train: onDivergence 'skip' needs a trainer that was made with guarded: true.");
  }
  if (trained.has(trainer)) {
    throw new BusyError(
      'train() was called on a trainer that an earlier train() is still training; await that one first.',
    );
  }
  trained.add(trainer);
  try {
    return await new Training(trainer, options).run();
  } finally {
    trained.delete(trainer);
  }
}

/** One call of `train`. */
class Training<Params extends Tree<HostArray>> {
  private throughput: Throughput;
  private readonly losses = new PendingLosses();
  private watch = new ErrorWatch();
  /** The step of the last checkpoint. */
  private kept = -1;
  /** The last state that was kept, where nobody else gives it. */
  private held: TrainState<Params> | undefined;
  private backs = 0;
  private skipped = 0;
  private skippedInARow = 0;

  constructor(
    private readonly trainer: Trainer<Params>,
    private readonly options: TrainOptions<Params>,
  ) {
    this.throughput = new Throughput(trainer.step);
  }

  async run(): Promise<TrainSummary> {
    const { trainer } = this;
    const { steps, restorePoint } = this.options;
    if (restorePoint === undefined && trainer.step > 0) this.held = await trainer.snapshot();
    try {
      for (;;) {
        try {
          await this.makeSteps();
          break;
        } catch (error) {
          if (!(error instanceof Suspected)) throw error;
          this.losses.dispose();
          await this.deal(error.suspicion);
        }
      }
      this.report();
    } finally {
      this.losses.dispose();
    }
    const seconds = this.throughput.seconds();
    const made = trainer.step - this.throughput.firstStep;
    const stepsPerSecond = made > 0 ? made / seconds : 0;
    return {
      step: trainer.step,
      completed: trainer.step === steps,
      seconds,
      stepsPerSecond,
      samplesPerSecond: stepsPerSecond * trainer.batchSize,
    };
  }

  /** @throws {Suspected} where training cannot go on */
  private async makeSteps(): Promise<void> {
    const { trainer, losses } = this;
    const { steps, checkpointEvery = Infinity, signal } = this.options;
    while (trainer.step < steps && !signal?.aborted) {
      const result = await trainer.advance();
      // A scalar is read either with the losses or with the metrics of a logged step.
      const watched = this.watchedError(result);
      losses.add(result.step, result.loss, watched);
      try {
        await this.log(result);
      } finally {
        for (const metric of Object.values(result.metrics)) if (metric !== watched) metric.dispose();
      }
      if (trainer.step % checkpointEvery === 0) await this.keep();
      if (this.throughput.isDue(trainer.step)) {
        this.report();
        await nextTask();
      }
    }
    await this.keep();
  }

  /** The squared error of a step, where it is one of those that are watched. */
  private watchedError({ step, metrics }: StepResult): DeviceArray | undefined {
    const every = Math.ceil(Math.min(this.options.logEvery ?? 100, 1000) / WATCHED);
    return step % every === 0 ? metrics.squaredError : undefined;
  }

  private async log({ step, metrics }: StepResult): Promise<void> {
    const { trainer, losses } = this;
    const { steps, logEvery = 100, onMetrics } = this.options;
    const isLogged = step === 1 || step % logEvery === 0 || step === steps;
    // Before the losses, with which an error that is watched goes.
    const values = isLogged && onMetrics !== undefined ? await readAll(metrics) : undefined;
    if (isLogged || losses.isFull) await this.readLosses(step);
    if (values === undefined || losses.last === undefined) return;
    const learningRate = trainer.learningRate(step);
    // Of a step that was skipped they are not finite, and no numbers of JSON.
    const finite = Object.entries(values).filter(([, value]) => Number.isFinite(value));
    await onMetrics!({
      step,
      loss: losses.last,
      ...Object.fromEntries(finite),
      ...(learningRate !== undefined && { learningRate }),
      ...(this.skipped > 0 && { skipped: this.skipped }),
      samplesPerSecond: this.throughput.recent(trainer.step) * trainer.batchSize,
    });
  }

  /** @throws {Suspected} where a loss is not finite, or the error has diverged */
  private async readLosses(until?: number): Promise<void> {
    for (const read of await this.losses.read(until)) {
      if (!Number.isFinite(read.loss)) await this.notFinite(read);
      else this.skippedInARow = 0;
      const growth = read.error === undefined ? undefined : this.watch.add(read.step, read.error);
      if (growth !== undefined) throw new Suspected({ kind: 'growth', step: read.step, growth });
    }
  }

  private async notFinite({ step }: ReadStep): Promise<void> {
    const { trainer, options } = this;
    if (!trainer.guarded) throw new Suspected({ kind: 'loss', step });
    this.skipped++;
    this.skippedInARow++;
    const report = skippedStep(trainer, step);
    const isGivenUp = options.onDivergence !== 'skip' || this.skippedInARow >= MOST_SKIPPED;
    await options.onDiverged?.(report, isGivenUp ? 'stopped' : 'skipped');
    if (!isGivenUp) return;
    const many = this.skippedInARow > 1 ? ` ${this.skippedInARow} steps in a row were skipped.` : '';
    throw new DivergenceError(`${divergenceText(report)}${many}`, step, report);
  }

  private async keep(): Promise<void> {
    const { trainer, options } = this;
    await this.readLosses();
    if (options.onCheckpoint === undefined || this.kept === trainer.step) return;
    const state = await trainer.snapshot();
    if ((await drainGivingWay(findingNonFinite(stateTree(state)))).length > 0)
      throw new Suspected({ kind: 'state', step: state.step });
    await this.offer(state);
  }

  private async offer(state: TrainState<Params>): Promise<void> {
    await this.options.onCheckpoint?.(state);
    this.kept = state.step;
    if (this.options.restorePoint === undefined) this.held = state;
  }

  private report(): void {
    const { trainer, throughput, losses } = this;
    const { steps, onProgress } = this.options;
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
  }

  /** Finds out what happened, and goes back. @throws {DivergenceError} where training ends with it */
  private async deal(suspicion: Suspicion): Promise<void> {
    const { trainer, options } = this;
    const { onDivergence = 'stop', onDiverged, onBack, signal } = options;
    const atMost = (suspicion.kind === 'growth' ? suspicion.growth.since : suspicion.step) - 1;
    const from = await this.stateFrom(atMost);
    const { report, before } = await findDivergence(trainer, from, suspicion, () => signal?.aborted === true);
    // The same data again do the same at any learning rate.
    const goesBack = onDivergence === 'back' && report.cause === 'optimization' && this.backs < MOST_BACKS;
    await onDiverged?.(report, goesBack ? 'went back' : 'stopped');
    if (!goesBack) {
      if (before !== undefined && before.step > from.step) await this.offer(before);
      throw new DivergenceError(divergenceText(report), report.step, report);
    }
    restoreCopy(trainer, from, trainer.rateScale / 2);
    this.backs++;
    // What was kept of later steps is none of this run any more: it is kept anew when it comes to them, and now with its rate.
    this.kept = -1;
    this.watch = new ErrorWatch();
    this.throughput = new Throughput(trainer.step);
    await onBack?.(trainer.step);
  }

  /** The latest state that is there of at most so many updates. */
  private async stateFrom(atMost: number): Promise<TrainState<Params>> {
    const given = await this.options.restorePoint?.(atMost);
    if (given !== undefined) return given;
    return this.held !== undefined && this.held.step <= atMost ? this.held : this.trainer.initialState;
  }
}

/** What is known of a step that a guarded trainer has not applied. */
function skippedStep(trainer: Parameters<typeof describe>[0], step: number): DivergenceReport {
  return { ...describe(trainer, step), kind: 'loss', loss: 'NaN', worst: undefined, recurred: true };
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
