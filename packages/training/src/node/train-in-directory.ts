/**
 * Training in a run directory: the loop, with metrics and checkpoints written as they come. A run that was stopped,
 * killed, or lost its machine goes on from its latest checkpoint, and ends with the same bytes as one that was never
 * stopped.
 */
import { ArgumentError, DataError, DeviceLostError, type HostArray, type Tree } from '@meanflow/core';
import { checkOptions } from '@meanflow/core/validation';
import type { JsonObject } from '@meanflow/formats';
import { checkpointParts, checkpointState, type Checkpoint } from '../checkpoint.js';
import { checkTrainOptions, train } from '../loop.js';
import { trainOptionNames, type TrainOptions, type TrainSummary } from '../train-options.js';
import type { TrainState } from '../train-state.js';
import type { Trainer } from '../trainer.js';
import {
  latestCheckpoint,
  removeLaterCheckpoints,
  writeFinalCheckpoint,
  writeStepCheckpoint,
  type DamagedCheckpoint,
  type DamagePolicy,
} from './checkpoint-files.js';
import { afterDeviceLoss } from './device-loss.js';
import { appendDivergence } from './divergences.js';
import { MetricsLog } from './metrics-log.js';
import type { RunDirectory } from './run-directory.js';

export interface TrainInDirectoryOptions<Params extends Tree<HostArray> = Tree<HostArray>> extends Omit<
  TrainOptions<Params>,
  'onCheckpoint' | 'restorePoint'
> {
  /** An open run directory; it stays open. */
  readonly run: RunDirectory;
  /** Kept in every checkpoint: what somebody needs to make sense of it without the run directory. */
  readonly info: JsonObject;
  /** How many checkpoints to keep besides the final one; 3 by default. */
  readonly keepCheckpoints?: number;
  /** What to do when the latest checkpoint of a resumed run is damaged; `use-previous` by default. */
  readonly onDamage?: DamagePolicy;
  /** Begin again with the learning rates as they were asked for, where the run had gone back to smaller ones. */
  readonly forgetRateScale?: boolean;
  /**
   * Write a checkpoint of what the trainer begins with, so that a run that goes on never needs to make it again: where its
   * parameters did not follow from the seed.
   */
  readonly checkpointAtStart?: boolean;
  /** Throws where the checkpoint that a resumed run would go on from is not one of this run, as its `info` tells. */
  readonly checkCheckpoint?: (checkpoint: Checkpoint) => void;
  /** What is typed to go on when the device was lost; `npx meanflow train --resume <run>` by default. */
  readonly resumeCommand?: string;
  /** Told, before training, where a resumed run goes on. */
  readonly onResume?: (from: ResumePoint) => void;
}

/** Checkpoints are written here. */
const { onCheckpoint: _, restorePoint: __, ...withoutCheckpoints } = trainOptionNames;

/** Where a resumed run goes on. */
export interface ResumePoint {
  /** Updates made already: 0 when the run has no checkpoint. */
  readonly step: number;
  /** The checkpoint, as messages name it. */
  readonly source: string | undefined;
  /** Later checkpoints that were damaged and passed over. */
  readonly damaged: readonly DamagedCheckpoint[];
}

export interface RunSummary extends TrainSummary {
  /** Path of the last checkpoint written by this call, if any. */
  readonly checkpoint: string | undefined;
  /** Updates made before this call. */
  readonly resumedFrom: number;
}

/**
 * Trains in a run directory until `steps` updates have been made, or the signal stops it, which leaves a checkpoint.
 * In a directory opened by `RunDirectory.resume` it goes on from the latest checkpoint, or from the beginning when
 * there is none yet.
 *
 * @param trainer a trainer at step 0; it stays open, at the state that training ended in
 * @throws {DataError} when a file cannot be written, no checkpoint is intact, or the latest belongs to another
 *   network, optimizer, seed or batch size
 * @throws {DivergenceError} when the loss or a parameter is not finite; earlier checkpoints stay
 * @throws {DeviceLostError} when the device went away, naming the checkpoint to go on from
 * @throws {BusyError} when the trainer is being trained by another call
 */
export async function trainInDirectory<Params extends Tree<HostArray>>(
  trainer: Trainer<Params>,
  options: TrainInDirectoryOptions<Params>,
): Promise<RunSummary> {
  checkOptions<TrainInDirectoryOptions<Params>>('trainInDirectory', options, {
    ...withoutCheckpoints,
    run: true,
    info: true,
    keepCheckpoints: true,
    checkCheckpoint: true,
    checkpointAtStart: true,
    onDamage: true,
    forgetRateScale: true,
    resumeCommand: true,
    onResume: true,
  });
  const {
    run,
    info,
    keepCheckpoints = 3,
    onDamage,
    checkCheckpoint,
    checkpointAtStart,
    forgetRateScale,
    resumeCommand,
    onResume,
    ...training
  } = options;
  const { steps } = training;
  if (!Number.isSafeInteger(keepCheckpoints) || keepCheckpoints < 1) {
    throw new ArgumentError(`keepCheckpoints is a whole number from 1, got ${keepCheckpoints}.`);
  }
  let resumed: string | undefined;
  if (run.isResumed) {
    const { checkpoint, damaged } = await latestCheckpoint(run.path, onDamage);
    if (checkpoint !== undefined) {
      checkCheckpoint?.(checkpoint);
      checkSameRun(trainer, checkpoint);
      trainer.restore(await checkpointState<Params>(checkpoint, trainer.stateTypes));
      resumed = checkpoint.source;
    }
    if (forgetRateScale) trainer.rateScale = 1;
    onResume?.({ step: trainer.step, source: checkpoint?.source, damaged });
  }
  checkTrainOptions(trainer, options);
  if (run.isResumed) await run.saveConfig();
  const resumedFrom = trainer.step;
  const facts = { seed: trainer.seed, batchSize: trainer.batchSize, frozen: trainer.frozen, info };
  let log = await MetricsLog.open(run.metricsPath, trainer.step);
  const restorePoint = (atMost: number) => keptState(trainer, run.path, atMost);
  let written = resumed;
  try {
    if (checkpointAtStart && trainer.step === 0 && resumed === undefined) {
      const parts = checkpointParts(await trainer.snapshot(), facts);
      written = await writeStepCheckpoint(run.path, 0, parts, keepCheckpoints);
    }
    const summary = await train(trainer, {
      ...training,
      onMetrics: async (record) => {
        await log.append(record);
        await options.onMetrics?.(record);
      },
      restorePoint,
      onDiverged: async (report, action) => {
        await appendDivergence(run.path, report, action);
        await options.onDiverged?.(report, action);
      },
      onBack: async (step) => {
        // What was kept and logged of later steps is as if it had not been.
        await removeLaterCheckpoints(run.path, step);
        await log.close();
        log = await MetricsLog.open(run.metricsPath, step);
        await options.onBack?.(step);
      },
      onCheckpoint: async (state) => {
        // Metrics first: a run that goes on from this checkpoint keeps the lines up to here.
        await log.flush();
        const parts = checkpointParts(state, facts);
        written =
          state.step === steps
            ? await writeFinalCheckpoint(run.path, parts)
            : await writeStepCheckpoint(run.path, state.step, parts, keepCheckpoints);
      },
    });
    return { ...summary, checkpoint: written === resumed ? undefined : written, resumedFrom };
  } catch (error) {
    if (!(error instanceof DeviceLostError)) throw error;
    throw afterDeviceLoss(error, run.path, written, resumeCommand);
  } finally {
    await log.close();
  }
}

/** The latest state that was kept of at most so many updates. */
async function keptState<Params extends Tree<HostArray>>(
  trainer: Trainer<Params>,
  run: string,
  atMost: number,
): Promise<TrainState<Params> | undefined> {
  const { checkpoint } = await latestCheckpoint(run, 'use-previous', atMost);
  return checkpoint && checkpointState(checkpoint, trainer.stateTypes);
}

function checkSameRun(trainer: Trainer, checkpoint: Checkpoint): void {
  const names = new Set([...Object.keys(checkpoint.frozen), ...Object.keys(trainer.frozen)]);
  for (const name of names) {
    const [made, given] = [checkpoint.frozen[name], trainer.frozen[name]];
    if (made === given) continue;
    throw new DataError(
      made === undefined || given === undefined
        ? `${checkpoint.source} was made ${made === undefined ? 'without' : 'with'} the frozen network "${name}", and the run is to ` +
            `go on ${given === undefined ? 'without' : 'with'} it. Give the objective the references that the run began with.`
        : `${checkpoint.source} was made with other parameters of the frozen network "${name}" (checksum ${made}, now ${given}). ` +
            'A checkpoint does not hold them: give the objective the same ones again.',
    );
  }
  for (const name of ['seed', 'batchSize'] as const) {
    if (checkpoint[name] !== trainer[name]) {
      throw new DataError(
        `${checkpoint.source} was made with ${name} ${checkpoint[name]}, but the run is to go on with ` +
          `${trainer[name]}. A run keeps its ${name}: begin a new one to change it.`,
      );
    }
  }
}
