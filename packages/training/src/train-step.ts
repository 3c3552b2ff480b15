/**
 * One train step as pure functions: the gradients of a loss, and the update that they make. Together they are one graph,
 * which is what the trainer runs: forward, JVP, backward, clipping, optimizer and averages are one executable, and
 * everything that stays is in its state. Apart they are for who averages gradients between the two. They are functions in
 * steps, so that tracing them gives way to other work.
 */
import {
  ArgumentError,
  autocast,
  equal,
  isFinite,
  logicalAnd,
  mul,
  recomputing,
  sum,
  treeLeaves,
  treeZipMap,
  valueAndGradInSteps,
  where,
  type BlockChoice,
  type LossAndMetrics,
  type Precision,
  type RandomKey,
  type Steps,
  type Tensor,
  type Tree,
} from '@meanflow/core';
import type { Ema, EmaState } from './ema.js';
import { applyUpdates, type GradientTransform } from './gradient-transform.js';
import { lossScaleOf } from './loss-scaling.js';
import { referenceParameters, type ReferenceAverages } from './references.js';
import type { Stage } from './stages.js';

/** What makes initial parameters: the part of a `Network` that training itself uses. */
export interface ParameterSource<Params> {
  /** Initial parameters; where it has them in steps too, training does not hold the thread while it draws them. */
  readonly init: ((key: RandomKey) => Params) & { readonly inSteps?: (key: RandomKey) => Steps<Params> };
}

/** What a train step is made of. */
export interface StepParts {
  readonly stage: Stage;
  readonly averages: ReferenceAverages;
  readonly optimizer: GradientTransform;
  readonly ema?: Ema | undefined;
  /** Leave the state as it was where the loss or the new state is not finite; false by default. */
  readonly guarded?: boolean | undefined;
  /** What products of the loss are computed in; the optimizer's state holds the scale of the loss in `float16`. */
  readonly precision?: Precision | undefined;
  /** Which blocks of networks are computed again in the backward pass; none by default. */
  readonly blocks?: BlockChoice | undefined;
}

/** What an update replaces. */
export type StateTrees<L> = {
  readonly params: Tree<L>;
  readonly optimizer: Tree<L>;
  readonly ema: EmaState<Tree<L>>;
  /** Averages that only losses look at, where there are such. */
  readonly references?: EmaState<Tree<L>> | undefined;
};

/** The host's scalars of a step. */
export interface StepScalars<L> {
  readonly optimizer: Tree<L>;
  readonly ema: Readonly<Record<string, L>>;
  readonly references: Readonly<Record<string, L>>;
}

/** What every step has for itself. */
export interface DataTrees<L> {
  readonly batch: Tree<L>;
  readonly draws: Tree<L>;
}

/** The parameters of frozen networks, by the names of references. */
export type FrozenTrees<L> = Readonly<Record<string, Tree<L>>>;

/** What gradients are taken of: the state but for the optimizer's, frozen parameters, batch and draws. */
export interface GradientInput<L> extends Omit<StateTrees<L>, 'optimizer'>, DataTrees<L> {
  readonly frozen: FrozenTrees<L>;
}

/** A loss with its gradient in the parameters. */
export type Gradients<L> = {
  readonly loss: L;
  readonly metrics: Readonly<Record<string, L>>;
  readonly gradients: Tree<L>;
};

/** What a step takes for itself. */
export interface StepInput<L> extends DataTrees<L> {
  readonly scalars: StepScalars<L>;
}

/** Inputs of the whole step. */
export interface TrainStepInput<L> extends StateTrees<L>, GradientInput<L>, StepInput<L> {}

/** Outputs of the whole step: the new state, the loss and the metrics, all scalars. */
export interface TrainStepOutput extends StateTrees<Tensor>, LossAndMetrics {}

/**
 * The first half: the loss, the objective's metrics and the gradient of the loss in the parameters.
 *
 * @param scale products are in float16, and the gradient is that of the loss times this
 */
export function* gradientsOf(
  { stage, averages, blocks }: Pick<StepParts, 'stage' | 'averages' | 'blocks'>,
  { params, ema, references, frozen, batch, draws }: GradientInput<Tensor>,
  scale?: Tensor,
): Steps<Gradients<Tensor>> {
  const given = referenceParameters(stage, averages, { ema, references: references ?? {} }, frozen);
  const evaluated = (at: Tree<Tensor>): LossAndMetrics => {
    const { loss, metrics } = recomputing(blocks, () =>
      stage.loss({ params: at, batch, draws, references: given }),
    );
    return { loss, metrics };
  };
  const lossOf = scale === undefined ? evaluated : autocast(evaluated);
  const [[, result], gradients] = yield* valueAndGradInSteps((at: Tree<Tensor>) => {
    const found = lossOf(at);
    return [scale === undefined ? found.loss : mul(found.loss, scale), found] as const;
  }, params);
  return { ...result, gradients };
}

/** What a line of metrics says by itself. */
const RESERVED = ['step', 'loss', 'learningRate', 'samplesPerSecond'];

/**
 * The second half: clipping, optimizer and averages.
 *
 * @throws {ArgumentError} while tracing, when a metric has a name that every line of metrics uses itself
 */
export function* updateBy(
  { stage, averages, optimizer, ema, guarded: isGuarded = false }: StepParts,
  state: StateTrees<Tensor>,
  { loss, metrics, gradients }: Gradients<Tensor>,
  scalars: StepScalars<Tensor>,
): Steps<TrainStepOutput> {
  const context = { params: state.params, scalars: scalars.optimizer };
  const updated = optimizer.update(gradients, state.optimizer, context);
  yield;
  const params = applyUpdates(state.params, updated.updates);
  const all = { ...metrics, ...updated.metrics };
  const reserved = RESERVED.find((name) => Object.hasOwn(all, name));
  if (reserved !== undefined) {
    throw new ArgumentError(`The metric "${reserved}" of "${stage.name}" needs another name.`);
  }
  const next = {
    params,
    optimizer: updated.state,
    ema: ema === undefined ? {} : ema.update(state.ema, params, scalars.ema),
    references: state.references && averages.own.update(state.references, params, scalars.references),
    loss,
    metrics: all,
  };
  if (!isGuarded) return next;
  yield;
  return guarded(state, next);
}

/** Both halves: the function that becomes one executable. */
export function* trainStep(parts: StepParts, input: TrainStepInput<Tensor>): Steps<TrainStepOutput> {
  const scale = parts.precision === 'float16' ? lossScaleOf(input.optimizer) : undefined;
  const made = yield* gradientsOf(parts, input, scale);
  yield;
  return yield* updateBy(parts, input, made, input.scalars);
}

/** The step if all that it made is finite; else what was before, and NaN for its loss. */
function guarded(
  before: StateTrees<Tensor>,
  { loss, metrics, params, optimizer, ema, references }: TrainStepOutput,
): TrainStepOutput {
  const leaves = [{ params }, { optimizer }, { ema }, { references }].flatMap((part) =>
    treeLeaves<Tensor>(part),
  );
  const isGood = [loss, ...leaves]
    .map((leaf) => equal(sum(where(isFinite(leaf), 0, 1)), 0))
    .reduce((all, each) => logicalAnd(all, each));
  const chosen = <T extends Tree<Tensor>>(next: T, old: T): T =>
    treeZipMap('guarded', (made: Tensor, kept: Tensor) => where(isGood, made, kept), next, old);
  return {
    params: chosen(params, before.params),
    optimizer: chosen(optimizer, before.optimizer),
    // Averages may be updated in some steps only.
    ema: chosen(ema, Object.fromEntries(Object.keys(ema).map((key) => [key, before.ema[key]]))),
    references: chosen(references, before.references),
    loss: where(isGood, loss, NaN),
    metrics,
  };
}
