/**
 * What made a run diverge. Losses are read now and then, and states less often still, so what is known at first is only a
 * step by which it had happened. A step is a pure function of the state and of its number: from a state that was kept the
 * steps are made again, and the one that did it is found, with the state before it, without a check in the steps that
 * everybody pays for.
 */
import { type HostArray, treeFlatten, treePaths, type Tree } from '@meanflow/core';
import { countNonFinite, nonFiniteLeaves, worstLeaf, type NonFiniteLeaf } from './finite.js';
import type { Growth } from './error-watch.js';
import { stateTree, type StateParts, type TrainState } from './train-state.js';
import { disposeResult } from './step-program.js';
import type { Trainer } from './trainer.js';

/** By what a divergence showed itself. */
export type Suspicion =
  /** This step's loss is not finite. */
  | { readonly kind: 'loss'; readonly step: number }
  /** The state after this step is not finite. */
  | { readonly kind: 'state'; readonly step: number }
  /** The error has grown beyond all that was. */
  | { readonly kind: 'growth'; readonly step: number; readonly growth: Growth };

/** An array of the batch that a step was made on. */
export interface BatchPart {
  readonly path: string;
  readonly shape: readonly number[];
  /** How many of its values are not finite. */
  readonly nonFinite: number;
  /** The largest magnitude among those that are. */
  readonly largest: number;
  /** Whether it is not finite, far beyond other batches, or so large that its squares leave float32. */
  readonly isOdd: boolean;
}

/** What was found out, as plain JSON. */
export interface DivergenceReport {
  /** The step, counted from 1. */
  readonly step: number;
  readonly kind: Suspicion['kind'];
  /** The run's seed, from which batch and draws of the step follow. */
  readonly seed: number;
  readonly learningRate: number | undefined;
  /** Its loss; text, for JSON has no NaN. */
  readonly loss: string;
  /** Of the new state, which was not kept: the tensor of which the largest part is not finite. */
  readonly worst: NonFiniteLeaf | undefined;
  readonly batch: readonly BatchPart[];
  /** Where to look. */
  readonly cause: 'data' | 'beginning' | 'optimization';
  /** Where the error grew: since when, and from what to what. */
  readonly growth?: Growth;
  /** False where the steps, made again, came out otherwise: the device does not compute the same twice. */
  readonly recurred: boolean;
}

/** A divergence, and the state before it; undefined where nothing is known of that. */
export interface Divergence<Params> {
  readonly report: DivergenceReport;
  readonly before: TrainState<Params> | undefined;
}

/**
 * Finds the step that did it. The trainer is left at the state before that step.
 *
 * @param from a finite state from before, made at fewer updates than the suspected step
 * @param isStopped looked at between two attempts: whoever waits no longer gets what is known by then
 */
export async function findDivergence<Params extends Tree<HostArray>>(
  trainer: Trainer<Params>,
  from: TrainState<Params>,
  suspicion: Suspicion,
  isStopped: () => boolean,
): Promise<Divergence<Params>> {
  if (suspicion.kind === 'growth') {
    const { step, growth } = suspicion;
    return { report: { ...describe(trainer, step), kind: 'growth', loss: String(growth.error), worst: undefined, growth, recurred: true, cause: 'optimization' }, before: undefined }; // prettier-ignore
  }
  const { rateScale } = trainer;
  let good = from;
  let bad = suspicion.step;
  // A loss that is not finite was mostly made by its own step, or by parameters of the step before.
  for (let attempt = 0; bad - good.step > 1 && !isStopped(); attempt++) {
    const isNear = suspicion.kind === 'loss' && attempt < 2;
    const at = isNear ? bad - 1 : good.step + Math.floor((bad - good.step) / 2);
    const state = await stateAt(trainer, good, at);
    if (nonFiniteLeaves(stateTree(state)).length === 0) good = state;
    else bad = at;
  }
  bad = good.step + 1;
  restoreCopy(trainer, good, rateScale);
  const result = await trainer.advance();
  const value = (await result.loss.read()).item();
  disposeResult(result);
  const { params, optimizer, ema, references } = await trainer.snapshot();
  // Parameters first: what they hold explains the others.
  const worst = [{ params }, { optimizer }, { ema }, { references }]
    .map((part) => worstLeaf(nonFiniteLeaves(part)))
    .find(Boolean);
  restoreCopy(trainer, good, rateScale);
  const isOfLoss = !Number.isFinite(value);
  const found = describe(trainer, bad, isOfLoss);
  const report: DivergenceReport = {
    ...found,
    kind: isOfLoss ? 'loss' : 'state',
    loss: String(value),
    worst,
    recurred: isOfLoss || worst !== undefined,
  };
  return { report, before: good };
}

async function stateAt<Params extends Tree<HostArray>>(
  trainer: Trainer<Params>,
  from: TrainState<Params>,
  step: number,
): Promise<TrainState<Params>> {
  restoreCopy(trainer, from, trainer.rateScale);
  while (trainer.step < step) disposeResult(await trainer.advance());
  return trainer.snapshot();
}

/**
 * Gives a trainer a copy of a state: what is given to it is its own, and the state may be wanted again.
 *
 * @param rateScale that of the steps to come; the state may be from before the run went back to smaller rates
 */
export function restoreCopy<Params extends Tree<HostArray>>(
  trainer: Trainer<Params>,
  state: TrainState<Params>,
  rateScale: number,
): void {
  const { leaves, structure } = treeFlatten<HostArray>(stateTree(state));
  const copy = structure.unflatten<HostArray, StateParts<Params>>(leaves.map((leaf) => leaf.clone()));
  trainer.restore({ ...copy, step: state.step, rateScale });
}

/** The facts of a step that need no device, and where they say to look. @param isLoss whether its loss is not finite */
export function describe(
  trainer: Examined,
  step: number,
  isLoss = true,
): Pick<DivergenceReport, 'step' | 'seed' | 'learningRate' | 'batch' | 'cause'> {
  const batch = batchParts(trainer, step);
  const cause = batch.some(({ isOdd }) => isOdd)
    ? 'data'
    : step === 1 && isLoss
      ? 'beginning'
      : 'optimization';
  return { step, seed: trainer.seed, learningRate: trainer.learningRate(step), batch, cause };
}

/** What is asked of a trainer besides its states. */
type Examined = Pick<Trainer, 'seed' | 'learningRate' | 'batchOf'>;

function magnitudes(trainer: Examined, step: number): Omit<BatchPart, 'isOdd'>[] {
  return treePaths<HostArray>(trainer.batchOf(step)).map(({ path, leaf }) => {
    let largest = 0;
    for (const value of leaf.data) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
    return { path, shape: leaf.shape, nonFinite: countNonFinite(leaf), largest };
  });
}

/** Batches that a suspected one is compared with. */
const OTHERS = 8;
/** What is this many times as large as in other batches is an outlier. */
const OUTLYING = 100;
/** Data that a network learns from is near 1; from here on squares and their gradients leave float32 soon. */
const HUGE = 1e8;

/** The batch of a step, compared with those before it, or after it at the beginning. */
function batchParts(trainer: Examined, step: number): BatchPart[] {
  const first = step > OTHERS ? step - OTHERS : step + 1;
  const others = Array.from({ length: OTHERS }, (_, i) => magnitudes(trainer, first + i));
  return magnitudes(trainer, step).map((part, i) => {
    const typical = others.map((batch) => batch[i]!.largest).sort((a, b) => a - b)[OTHERS / 2]!;
    const { nonFinite, largest } = part;
    return { ...part, isOdd: nonFinite > 0 || largest > HUGE || largest > OUTLYING * Math.max(1, typical) };
  });
}

/** What happened and what to do about it, in words. */
export function divergenceText(report: DivergenceReport): string {
  return `${whatHappened(report)} ${advice[report.cause](report)}`;
}

function whatHappened({ step, kind, loss, worst, growth, recurred, seed }: DivergenceReport): string {
  const where = worst === undefined ? '' : ` (${worst.count} of the ${worst.size} values of "${worst.path}")`;
  const again = recurred
    ? ''
    : ' Made again from a state that was kept, the steps came out finite: this device does not compute the same twice.';
  if (growth !== undefined) {
    return (
      `The squared error at step ${step} is ${growth.error.toPrecision(3)} and was ${growth.best.toPrecision(3)} at its best; it has ` +
      `grown since step ${growth.since}: the run diverged.`
    );
  }
  const seen =
    kind === 'loss'
      ? `The loss at step ${step} is ${loss}`
      : `After step ${step}, "${worst?.path}" holds values that are not finite`;
  return `${seen}${kind === 'loss' && worst !== undefined ? `, and its update is not finite${where}` : where}: the run diverged. The step was not applied (seed ${seed}).${again}`;
}

const advice: Readonly<Record<DivergenceReport['cause'], (report: DivergenceReport) => string>> = {
  data: ({ batch, step }) =>
    `Look at the data: in the batch of step ${step}, ${partTexts(batch.filter(({ isOdd }) => isOdd))}, which is far beyond other ` +
    'batches, or beyond what can be squared in float32.',
  beginning: ({ batch }) =>
    `Look at the data, not at the learning rate, which had changed nothing yet: in the batch of step 1, ${partTexts(batch)}. ` +
    'If that is as it should be, look at the network.',
  optimization: () => 'Lower the learning rate, warm it up for longer, or clip gradients.',
};

function partTexts(batch: readonly BatchPart[]): string {
  const texts = batch.map(({ path, nonFinite, largest }) => {
    const name = path === '' ? 'the values' : `"${path}"`;
    return `${name} reaches ${largest.toPrecision(3)}${nonFinite === 0 ? '' : `, and ${nonFinite} of its values are not finite`}`;
  });
  return texts.join('; ');
}
