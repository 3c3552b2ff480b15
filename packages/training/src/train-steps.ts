/**
 * Several train steps as one pure function: graphs have no loops, so the step is written as often as it is made. The
 * state passes from step to step inside the graph; batches, draws and scalars of all enter together, and losses and
 * metrics of all leave.
 */
import { optimizationBarrier, type LossAndMetrics, type Tensor, type Tree } from '@meanflow/core';
import type { Ema } from './ema.js';
import { trainStep, type StepParts, type SymbolicState, type TrainStepInput } from './train-step.js';
import { zipLeaves } from './trees.js';

/** What each of several steps takes for itself. */
export type StepInput = Omit<TrainStepInput, keyof SymbolicState | 'frozen'>;

/** Inputs of several steps: the state before the first, frozen parameters, and what each takes. */
export type TrainStepsInput = SymbolicState &
  Pick<TrainStepInput, 'frozen'> & { readonly steps: readonly StepInput[] };

/** Outputs of several steps: the state after the last, and what each reports. */
export type TrainStepsOutput = SymbolicState & { readonly steps: readonly LossAndMetrics[] };

/**
 * Several steps, of which the first is made after a number of updates that is a multiple of how many they are.
 *
 * @throws {ArgumentError} while tracing, as `trainStep`
 */
export function trainSteps(parts: StepParts): (input: TrainStepsInput) => TrainStepsOutput {
  return ({ steps, frozen, ...initial }) => {
    const count = steps.length;
    let state: SymbolicState = initial;
    const reports = steps.map((input, i) => {
      const ema = updatesAverages(parts.ema, i, count) ? parts.ema : undefined;
      const { loss, metrics, ...next } = trainStep({ ...parts, ema })({ ...state, frozen, ...input });
      const averages = [...Object.values(next.ema), ...Object.values(next.references)];
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
  return zipLeaves('trainSteps', params, averages, ([param, ...averaged]) =>
    averaged.reduce((x, average) => optimizationBarrier(x, average), param),
  );
}
