/**
 * One train step as a pure function, in two halves that can be traced apart (gradients on one graph, update on
 * another, when a device needs that) or together, which is what the trainer does: forward, JVP, backward, clipping,
 * optimizer and averages are one graph, and everything that stays is in its state.
 */
import {
  ArgumentError,
  equal,
  isFinite,
  logicalAnd,
  sum,
  treeLeaves,
  valueAndGrad,
  where,
  type Objective,
  type RandomKey,
  type Symbolic,
  type Tensor,
  type Tree,
} from '@meanflow/core';
import type { Ema, EmaState } from './ema.js';
import { applyUpdates, type GradientTransform } from './gradient-transform.js';
import { zipLeaves } from './trees.js';

/** What makes initial parameters: the part of a `Network` that training itself uses. */
export interface ParameterSource<Params> {
  init(key: RandomKey): Params;
}

/** What a train step is made of. */
export interface TrainStepParts<Net, Params, Batch, Draws> {
  readonly network: Net;
  readonly objective: Objective<NoInfer<Net>, NoInfer<Params>, NoInfer<Batch>, Draws>;
  readonly optimizer: GradientTransform;
  readonly ema?: Ema;
  /** Leave the state as it was where the loss or the new state is not finite; false by default. */
  readonly guarded?: boolean;
}

/** What an update replaces, as tensors. */
export type SymbolicState = {
  readonly params: Tree<Tensor>;
  readonly optimizer: Tree<Tensor>;
  readonly ema: EmaState<Tree<Tensor>>;
};

/** The host's scalars of a step. */
export type StepScalars<L> = { readonly optimizer: Tree<L>; readonly ema: Readonly<Record<string, L>> };

/** Inputs of the whole step. */
export type TrainStepInput = SymbolicState & {
  readonly batch: Tree<Tensor>;
  readonly draws: Tree<Tensor>;
  readonly scalars: StepScalars<Tensor>;
};

/** Outputs of the whole step: the new state, the loss and the metrics, all scalars. */
export type TrainStepOutput = SymbolicState & {
  readonly loss: Tensor;
  readonly metrics: Readonly<Record<string, Tensor>>;
};

/** The first half: the loss, the objective's metrics and the gradient of the loss in the parameters. */
export function lossAndGradients<Net, Params, Batch, Draws>(
  { network, objective }: Pick<TrainStepParts<Net, Params, Batch, Draws>, 'network' | 'objective'>,
  { params, batch, draws }: Pick<TrainStepInput, 'params' | 'batch' | 'draws'>,
): { loss: Tensor; metrics: Readonly<Record<string, Tensor>>; gradients: Tree<Tensor> } {
  const [[loss, metrics], gradients] = valueAndGrad(
    (at: Tree<Tensor>) => {
      const result = objective.loss({
        network,
        params: at as Symbolic<Params>,
        batch: batch as Symbolic<Batch>,
        draws: draws as Symbolic<Draws>,
        references: {},
      });
      return [result.loss, result.metrics] as const;
    },
    { hasAux: true },
  )(params);
  return { loss, metrics, gradients };
}

/** The second half: clipping, optimizer and averages. */
export function applyGradients(
  { optimizer, ema }: { readonly optimizer: GradientTransform; readonly ema?: Ema },
  state: SymbolicState,
  gradients: Tree<Tensor>,
  scalars: StepScalars<Tensor>,
): SymbolicState & { readonly metrics: Readonly<Record<string, Tensor>> } {
  const context = { params: state.params, scalars: scalars.optimizer };
  const updated = optimizer.update(gradients, state.optimizer, context);
  const params = applyUpdates(state.params, updated.updates);
  return {
    params,
    optimizer: updated.state,
    ema: ema === undefined ? {} : ema.update(state.ema, params, scalars.ema),
    metrics: updated.metrics ?? {},
  };
}

/** What a line of metrics says by itself. */
const RESERVED = ['step', 'loss', 'learningRate', 'samplesPerSecond'];

/**
 * Both halves: the function that becomes one executable.
 *
 * @throws {ArgumentError} while tracing, when a metric has a name that every line of metrics uses itself
 */
export function trainStep<Net, Params, Batch, Draws>(
  parts: TrainStepParts<Net, Params, Batch, Draws>,
): (input: TrainStepInput) => TrainStepOutput {
  return (input) => {
    const { loss, metrics, gradients } = lossAndGradients<Net, Params, Batch, Draws>(parts, input);
    const next = applyGradients(parts, input, gradients, input.scalars);
    const all = { ...metrics, ...next.metrics };
    const reserved = RESERVED.find((name) => Object.hasOwn(all, name));
    if (reserved !== undefined) {
      throw new ArgumentError(`The metric "${reserved}" of "${parts.objective.name}" needs another name.`);
    }
    return parts.guarded === true
      ? guarded(input, { ...next, loss, metrics: all })
      : { ...next, loss, metrics: all };
  };
}

/** The step if all that it made is finite; else what was before, and NaN for its loss. */
function guarded(
  before: SymbolicState,
  { loss, metrics, params, optimizer, ema }: TrainStepOutput,
): TrainStepOutput {
  const leaves = [{ params }, { optimizer }, { ema }].flatMap((part) => treeLeaves<Tensor>(part));
  const isGood = [loss, ...leaves]
    .map((leaf) => equal(sum(where(isFinite(leaf), 0, 1)), 0))
    .reduce((all, each) => logicalAnd(all, each));
  const chosen = <T extends Tree<Tensor>>(next: T, old: T): T =>
    zipLeaves('guarded', next, [old], ([made, kept]) => where(isGood, made, kept));
  return {
    params: chosen(params, before.params),
    optimizer: chosen(optimizer, before.optimizer),
    // Averages may be updated in some steps only.
    ema: chosen(ema, Object.fromEntries(Object.keys(ema).map((key) => [key, before.ema[key]]))),
    loss: where(isGood, loss, NaN),
    metrics,
  };
}
