/**
 * StepProgram: one or several train steps as one executable. What enters is the state and, for each step, its batch,
 * its draws and its scalars, all of which follow from the number of the step; what leaves is the state after the last
 * step, and the loss and the metrics of each.
 */
import {
  hostArray,
  trace,
  type Backend,
  type DeviceArray,
  type Executable,
  type Graph,
  type HostArray,
  type RunInput,
  type TensorSpec,
  type Tree,
} from '@meanflow/core';
import { trainStep, type TrainStepParts } from './train-step.js';
import { trainSteps, updatesAverages } from './train-steps.js';
import { flattenTree, mapTree } from './trees.js';

/** The scalars that a step leaves on the device. Read them or not, then dispose of them. */
export interface StepResult {
  /** Which update this was, counted from 1. */
  readonly step: number;
  readonly loss: DeviceArray;
  readonly metrics: Readonly<Record<string, DeviceArray>>;
}

/** Batch and draws of a step. @param step updates made before */
export type StepData = (step: number) => {
  readonly batch: Tree<HostArray>;
  readonly draws: Tree<HostArray>;
};

/** The state on the device, by path. */
export type DeviceState = Readonly<Record<string, RunInput>>;

export class StepProgram {
  private constructor(
    private readonly executable: Executable,
    private readonly statePaths: readonly string[],
    private readonly inputsOf: (first: number, rateScale: number) => Record<string, HostArray>,
    /** Steps in a run. */
    readonly count: number,
  ) {}

  /**
   * @param state a state of the run, of which only structure and types are used
   * @param count steps in a run, each of which must begin at a multiple of it
   * @throws {ShapeError | DTypeError | PytreeError} when network, objective and data do not fit together
   * @throws {BackendError} when the steps cannot run on the backend
   */
  static async compile<Net, Params, Batch, Draws>(
    backend: Backend,
    parts: TrainStepParts<Net, Params, Batch, Draws>,
    {
      state,
      data,
      count,
    }: { state: Readonly<Record<string, Tree<HostArray | TensorSpec>>>; data: StepData; count: number },
  ): Promise<StepProgram> {
    const { optimizer, ema } = parts;
    const inputs = (first: number, rateScale: number) => {
      const steps = Array.from({ length: count }, (_, i) => {
        const scalars: Tree<number> = {
          optimizer: optimizer.scalars(first + i, rateScale),
          ema: updatesAverages(ema, i, count) ? ema!.scalars(first + i) : {},
        };
        return { ...data(first + i), scalars: mapTree((value) => hostArray(value), scalars) };
      });
      return count === 1 ? steps[0] : { steps };
    };
    const name = `train ${parts.objective.name}${count === 1 ? '' : `, ${count} steps`}`;
    const f =
      count === 1
        ? trainStep<Net, Params, Batch, Draws>(parts)
        : trainSteps<Net, Params, Batch, Draws>(parts);
    const graph = traceTree(f, { ...state, ...inputs(0, 1) }, name);
    const paths = Object.keys(flattenTree<HostArray | TensorSpec>(state));
    const executable = await backend.compile(graph, {
      state: Object.fromEntries(paths.map((path) => [path, path])),
    });
    return new StepProgram(
      executable,
      paths,
      (first, rateScale) => flattenTree(inputs(first, rateScale)),
      count,
    );
  }

  get graph(): Graph {
    return this.executable.graph;
  }

  /**
   * Makes the steps of one run. The state's device arrays are donated.
   *
   * @param first updates made before
   * @param rateScale what learning rates are multiplied by
   */
  async run(
    state: DeviceState,
    first: number,
    rateScale = 1,
  ): Promise<{ state: DeviceState; results: StepResult[] }> {
    // All of it is the trainer's own: copies of batches and draws, and the state.
    const inputs = { ...state, ...this.inputsOf(first, rateScale) };
    const outputs = await this.executable.run(inputs, { borrow: true });
    const results = Array.from({ length: this.count }, (_, i) => {
      const prefix = this.count === 1 ? '' : `steps/${i}/`;
      const ofMetrics = `${prefix}metrics/`;
      const metrics = Object.entries(outputs).filter(([name]) => name.startsWith(ofMetrics));
      return {
        step: first + i + 1,
        loss: outputs[`${prefix}loss`],
        metrics: Object.fromEntries(metrics.map(([name, value]) => [name.slice(ofMetrics.length), value])),
      };
    });
    return { state: Object.fromEntries(this.statePaths.map((path) => [path, outputs[path]])), results };
  }

  dispose(): Promise<void> {
    return this.executable.dispose();
  }
}

/** Traces a function of a tree whose structure only the example knows. */
function traceTree(f: (input: never) => unknown, example: Tree<HostArray | TensorSpec>, name: string): Graph {
  // The type of a traced tree maps its leaves, which the compiler cannot do for a tree of any depth.
  const traceUntyped = trace as (f: unknown, input: unknown, options: { name: string }) => { graph: Graph };
  return traceUntyped(f, example, { name }).graph;
}
