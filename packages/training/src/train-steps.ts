/**
 * Several train steps as one pure function: graphs have no loops, so the step is written as often as it is made. The
 * state passes from step to step inside the graph; batches, draws and scalars of all enter together, and losses and
 * metrics of all leave.
 */
import { optimizationBarrier, treeZipMap, type LossAndMetrics, type Tensor, type Tree } from '@meanflow/core';
import type { Ema } from './ema.js';
import {
  trainStep,
  type DataTrees,
  type FrozenTrees,
  type StateTrees,
  type StepParts,
  type StepScalars,
} from './train-step.js';

/** What each of several steps takes for itself. */
export interface StepInput<L> extends DataTrees<L> {
  readonly scalars: StepScalars<L>;
}

/** Inputs of several steps: the state before the first, frozen parameters, and what each takes. */
export interface TrainStepsInput<L> extends StateTrees<L> {
  readonly frozen: FrozenTrees<L>;
  readonly steps: readonly StepInput<L>[];
}

/** Outputs of several steps: the state after the last, and what each reports. */
export interface TrainStepsOutput extends StateTrees<Tensor> {
  readonly steps: readonly LossAndMetrics[];
}

/**
 * Several steps, of which the first is made after a number of updates that is a multiple of how many they are.
 *
 * @throws {ArgumentError} while tracing, as `trainStep`
 */
export function trainSteps(parts: StepParts): (input: TrainStepsInput<Tensor>) => TrainStepsOutput {
  return ({ steps, frozen, ...initial }) => {
    const count = steps.length;
    let state: StateTrees<Tensor> = initial;
    const reports = steps.map((input, i) => {
      const ema = updatesAverages(parts.ema, i, count) ? parts.ema : undefined;
      const { loss, metrics, ...next } = trainStep({ ...parts, ema })({ ...state, frozen, ...input });
      const averages = [...Object.values(next.ema), ...Object.values(next.references ?? {})];
      const isLast = i === count - 1;
      state = {
        ...next,
        params: isLast ? next.params : after(averages, next.params),
        ema: { ...state.ema, ...next.ema },
      };
      return { loss, metrics };
    });
    return { ...state, steps: reports };
  };
}

/**
 * Whether a step updates the averages, by its position among `count` of which the first follows a multiple of `count`
 * updates. Where the same positions are due in each such run, only those do; elsewhere all do, those that are not due
 * with a weight of 0.
 */
export function updatesAverages(ema: Ema | undefined, position: number, count: number): boolean {
  return ema !== undefined && (count % ema.every !== 0 || (position + 1) % ema.every === 0);
}

/**
 * The parameters, for the next step only when the averages have them. A device that put the averages off, which
 * nothing else needs, would keep the parameters of every step for them.
 */
function after(averages: readonly Tree<Tensor>[], params: Tree<Tensor>): Tree<Tensor> {
  return treeZipMap(
    'trainSteps',
    (param: Tensor, ...averaged: readonly Tensor[]) =>
      averaged.reduce((x, average) => optimizationBarrier(x, average), param),
    params,
    ...averages,
  );
}
