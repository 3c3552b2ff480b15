/**
 * StepProgram: one or several train steps of a stage as one executable. What enters is the state, the parameters of frozen
 * networks and, for each step, its batch, its draws and its scalars, all of which follow from the number of the step; what
 * leaves is the state after the last step, and the loss and the metrics of each.
 */
import {
  hostArray,
  pick,
  trace,
  type Backend,
  type DeviceArray,
  type Executable,
  type Graph,
  type HostArray,
  type RunInput,
  type TensorSpec,
  type TracedFunction,
  type Tree,
} from '@meanflow/core';
import { frozenOf } from './references.js';
import { trainStep, type StepParts, type StepScalars } from './train-step.js';
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

/** Arrays by the paths of a graph's inputs, such as the state on the device. */
export type NamedInputs = Readonly<Record<string, RunInput>>;

/** A state of which only structure and types are used, by its parts. */
export type StateSpecs = Readonly<Record<string, Tree<HostArray | TensorSpec>>>;

/** What the steps of a run are compiled of. */
export interface StepSource extends StepParts {
  readonly backend: Backend;
  readonly state: StateSpecs;
  readonly data: StepData;
}

/** What makes steps: one run of so many. */
export interface Steps {
  /** Steps in a run. */
  readonly count: number;
  readonly graph: Graph;
  /**
   * Makes the steps of one run. The state's device arrays are donated.
   *
   * @param frozen the stage's frozen parameters
   * @param first updates made before
   * @param rateScale what learning rates are multiplied by
   */
  run(state: NamedInputs, frozen: NamedInputs, first: number, rateScale: number): Promise<StepsMade>;
  dispose(): Promise<void>;
}

/** The state after the steps of a run, and what each left. */
export interface StepsMade {
  readonly state: NamedInputs;
  readonly results: readonly StepResult[];
}

export class StepProgram implements Steps {
  private constructor(
    private readonly executable: Executable,
    private readonly statePaths: readonly string[],
    private readonly inputsOf: (first: number, rateScale: number) => NamedInputs,
    /** Steps in a run. */
    readonly count: number,
  ) {}

  /**
   * @param count steps in a run, each of which must begin at a multiple of it
   * @throws {BackendError} when the steps cannot run on the backend
   */
  static async compile(source: StepSource, count: number): Promise<StepProgram> {
    const paths = Object.keys(flattenTree<HostArray | TensorSpec>(source.state));
    const executable = await source.backend.compile(traceSteps(source, count), {
      state: Object.fromEntries(paths.map((path) => [path, path])),
    });
    const inputsOf = (first: number, rateScale: number) =>
      flattenTree(stepInputs(source, count, first, rateScale));
    return new StepProgram(executable, paths, inputsOf, count);
  }

  get graph(): Graph {
    return this.executable.graph;
  }

  async run(state: NamedInputs, frozen: NamedInputs, first: number, rateScale: number): Promise<StepsMade> {
    // All of it is the trainer's own: copies of batches and draws, and the state.
    const inputs = { ...state, ...frozen, ...this.inputsOf(first, rateScale) };
    const outputs = await this.executable.run(inputs, { borrow: true });
    const results = Array.from({ length: this.count }, (_, i) => {
      const prefix = this.count === 1 ? '' : `steps/${i}/`;
      const loss = `${prefix}loss`;
      const metrics = below(outputs, `${prefix}metrics/`);
      return { step: first + i + 1, loss: pick(outputs, loss)[loss]!, metrics };
    });
    return { state: only(outputs, this.statePaths), results };
  }

  dispose(): Promise<void> {
    return this.executable.dispose();
  }
}

/**
 * The graph of the steps of one run.
 *
 * @throws {ShapeError | DTypeError | PytreeError} when network, objective and data do not fit together
 */
export function traceSteps(source: StepSource, count: number): Graph {
  const { stage, state } = source;
  const from = stage.from === 0 ? '' : ` from step ${stage.from}`;
  const name = `train ${stage.name}${from}${count === 1 ? '' : `, ${count} steps`}`;
  const example = { ...state, frozen: frozenOf(stage), ...stepInputs(source, count, stage.from, 1) };
  return traceTree(count === 1 ? trainStep(source) : trainSteps(source), example, name).graph;
}

/** The arrays whose paths begin so, by the rest of the path. */
export function below<V>(arrays: Readonly<Record<string, V>>, prefix: string): Record<string, V> {
  return Object.fromEntries(
    Object.entries(arrays).flatMap(([name, value]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
    ),
  );
}

/** The arrays of these paths. */
export function only<V>(arrays: Readonly<Record<string, V>>, paths: readonly string[]): Record<string, V> {
  const found = pick(arrays, ...paths);
  return Object.fromEntries(paths.map((path) => [path, found[path]!]));
}

/** What steps take for themselves, from the host. */
function stepInputs(
  { data, optimizer, ema, averages }: StepSource,
  count: number,
  first: number,
  rateScale: number,
): Readonly<Record<string, Tree<HostArray>>> {
  const steps = Array.from({ length: count }, (_, i) => {
    const due = updatesAverages(ema, i, count) ? ema : undefined;
    return {
      ...data(first + i),
      scalars: stepScalars({ optimizer, ema: due, averages }, first + i, rateScale),
    };
  });
  return count === 1 ? steps[0]! : { steps };
}

/** The host's scalars of a step. @param step updates made before @param rateScale what learning rates are multiplied by */
export function stepScalars(
  { optimizer, ema, averages }: Pick<StepParts, 'optimizer' | 'ema' | 'averages'>,
  step: number,
  rateScale: number,
): Tree<HostArray> {
  const scalars: StepScalars<number> = {
    optimizer: optimizer.scalars(step, rateScale),
    ema: ema?.scalars(step) ?? {},
    references: averages.own.scalars(step),
  };
  return mapTree<number, HostArray>((value) => hostArray(value), scalars);
}

/** Traces a function of a tree whose structure only the example knows. */
export function traceTree(
  f: (input: never) => unknown,
  example: Tree<HostArray | TensorSpec>,
  name: string,
): Pick<TracedFunction<unknown, unknown>, 'graph' | 'output'> {
  // The type of a traced tree maps its leaves, which the compiler cannot do for a tree of any depth.
  const traceUntyped = trace as (
    f: unknown,
    input: unknown,
    options: { name: string },
  ) => ReturnType<typeof traceTree>;
  return traceUntyped(f, example, { name });
}
