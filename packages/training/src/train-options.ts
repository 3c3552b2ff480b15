/** What the training loop is asked for, and what it tells: metrics, progress, checkpoints and divergences. */
import type { HostArray, Tree } from '@meanflow/core';
import type { OptionNames } from '@meanflow/core/validation';
import type { DivergenceReport } from './divergence.js';
import type { TrainState } from './train-state.js';

/** One line of metrics: what was seen at a step. */
export interface MetricsRecord {
  /** The update, counted from 1. */
  readonly step: number;
  /** Of this step, or where it was skipped of the last one that was not. */
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

/**
 * What to do where a step is not finite, or the error has grown beyond all that was: `stop` with the state before it;
 * `skip` the step, which needs a `guarded` trainer, and where that does not help stop; or go `back` to the last state that
 * was kept with half the learning rate.
 */
export type DivergencePolicy = 'stop' | 'skip' | 'back';

/** What was done about a divergence. */
export type DivergenceAction = 'stopped' | 'skipped' | 'went back';

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
  /** `stop` by default. */
  readonly onDivergence?: DivergencePolicy;
  /** Told what was found out about a divergence, and what is done about it, before it is done. */
  readonly onDiverged?: (report: DivergenceReport, action: DivergenceAction) => void | Promise<void>;
  /** Told where a run goes on that went back: what was reported of later steps is to be forgotten. */
  readonly onBack?: (step: number) => void | Promise<void>;
  /**
   * Gives the latest state that was kept of at most so many updates, from which a run that diverged is examined, and to which
   * it goes back. By default the state that was offered last is held in memory for it, and the one that training began with.
   */
  readonly restorePoint?: (atMost: number) => Promise<TrainState<Params> | undefined>;
  /** Stops after the update that is under way, with a checkpoint. */
  readonly signal?: StopSignal;
}

/** The names of the options. */
export const trainOptionNames: OptionNames<TrainOptions> = {
  steps: true,
  logEvery: true,
  checkpointEvery: true,
  onMetrics: true,
  onCheckpoint: true,
  onProgress: true,
  onDivergence: true,
  onDiverged: true,
  onBack: true,
  restorePoint: true,
  signal: true,
};

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
