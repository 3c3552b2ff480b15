/**
 * StepProgram: one or several train steps of a stage as one executable. What enters is the state, the parameters of frozen
 * networks and, for each step, its batch, its draws and its scalars, all of which follow from the number of the step; what
 * leaves is the state after the last step, and the loss and the metrics of each.
 */
import {
  compile,
  hostArray,
  trace,
  treeLeaves,
  treeMap,
  type Backend,
  type CompileOptions,
  type DeviceArray,
  type Graph,
  HostArray,
  type RunInput,
  type RunOptions,
  type SpecLeaf,
  type Tree,
} from '@meanflow/core';
import { frozenOf } from './references.js';
import {
  trainStep,
  type DataTrees,
  type FrozenTrees,
  type StateTrees,
  type StepParts,
  type StepScalars,
} from './train-step.js';
import { trainSteps, updatesAverages, type StepInput } from './train-steps.js';

/** The scalars that a step leaves on the device. Read them or not, then dispose of them. */
export interface StepResult {
  /** Which update this was, counted from 1. */
  readonly step: number;
  readonly loss: DeviceArray;
  readonly metrics: Readonly<Record<string, DeviceArray>>;
}

/** Batch and draws of a step. @param step updates made before */
export type StepData = (step: number) => DataTrees<HostArray>;

/** What the steps of a run are compiled of. */
export interface StepSource extends StepParts {
  readonly backend: Backend;
  /** Of which only structure and types are used. */
  readonly state: StateTrees<SpecLeaf>;
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
  run(
    state: StateTrees<RunInput>,
    frozen: FrozenTrees<RunInput>,
    first: number,
    rateScale: number,
  ): Promise<StepsMade>;
  dispose(): Promise<void>;
}

/** The state after the steps of a run, and what each left. */
export interface StepsMade {
  readonly state: StateTrees<RunInput>;
  readonly results: readonly StepResult[];
}

/** Frees what of a tree is on the device. */
export function disposeArrays(tree: Tree<RunInput>): void {
  for (const array of treeLeaves(tree)) if (!(array instanceof HostArray)) array.dispose();
}

/** All that enters is the trainer's own: copies of batches and draws, and the state. */
export const OWN: RunOptions = { borrow: true };

export class StepProgram implements Steps {
  private constructor(
    readonly graph: Graph,
    readonly run: Steps['run'],
    readonly dispose: () => Promise<void>,
    /** Steps in a run. */
    readonly count: number,
  ) {}

  /**
   * @param count steps in a run, each of which must begin at a multiple of it
   * @throws {BackendError} when the steps cannot run on the backend
   */
  static async compile(source: StepSource, count: number): Promise<StepProgram> {
    const { backend } = source;
    if (count === 1) {
      const program = await compile(backend, traceStep(source), stateOf(source));
      const run: Steps['run'] = async (state, frozen, first, rateScale) => {
        const input = stepInput(source, 1, 0, first, rateScale);
        const { loss, metrics, ...next } = await program.run({ ...state, frozen, ...input }, OWN);
        return { state: next, results: [{ step: first + 1, loss, metrics }] };
      };
      return new StepProgram(program.executable.graph, run, program.dispose, 1);
    }
    const program = await compile(backend, traceSteps(source, count), stateOf(source));
    const run: Steps['run'] = async (state, frozen, first, rateScale) => {
      const steps = stepInputs(source, count, first, rateScale);
      const { steps: made, ...next } = await program.run({ ...state, frozen, steps }, OWN);
      return { state: next, results: made.map((report, i) => ({ step: first + i + 1, ...report })) };
    };
    return new StepProgram(program.executable.graph, run, program.dispose, count);
  }
}

/** What of a state's trees is not empty, which outputs replace. */
export function stateOf({ state }: Pick<StepSource, 'state'>): CompileOptions {
  const parts = Object.entries(state).filter(([, tree]) => treeLeaves<SpecLeaf>(tree).length > 0);
  return { state: Object.fromEntries(parts.map(([part]) => [part, part])) };
}

/**
 * Traces one step.
 *
 * @throws {ShapeError | DTypeError | PytreeError} when network, objective and data do not fit together
 */
export function traceStep(source: StepSource) {
  const { stage, state } = source;
  const input = { ...state, frozen: frozenOf(stage), ...stepInput(source, 1, 0, stage.from, 1) };
  return trace(trainStep(source), input, { name: nameOf(source) });
}

function traceSteps(source: StepSource, count: number) {
  const { stage, state } = source;
  const steps = stepInputs(source, count, stage.from, 1);
  const input = { ...state, frozen: frozenOf(stage), steps };
  return trace(trainSteps(source), input, { name: `${nameOf(source)}, ${count} steps` });
}

function nameOf({ stage }: StepSource): string {
  return `train ${stage.name}${stage.from === 0 ? '' : ` from step ${stage.from}`}`;
}

/** What the steps of a run take for themselves, from the host. */
function stepInputs(
  source: StepSource,
  count: number,
  first: number,
  rateScale: number,
): StepInput<HostArray>[] {
  return Array.from({ length: count }, (_, i) => stepInput(source, count, i, first, rateScale));
}

/** What one of them takes. @param position of it in the run */
function stepInput(
  { data, optimizer, ema, averages }: StepSource,
  count: number,
  position: number,
  first: number,
  rateScale: number,
): StepInput<HostArray> {
  const due = updatesAverages(ema, position, count) ? ema : undefined;
  const step = first + position;
  return { ...data(step), scalars: stepScalars({ optimizer, ema: due, averages }, step, rateScale) };
}

/** The host's scalars of a step. @param step updates made before @param rateScale what learning rates are multiplied by */
export function stepScalars(
  { optimizer, ema, averages }: Pick<StepParts, 'optimizer' | 'ema' | 'averages'>,
  step: number,
  rateScale: number,
): StepScalars<HostArray> {
  const scalars: StepScalars<number> = {
    optimizer: optimizer.scalars(step, rateScale),
    ema: ema?.scalars(step) ?? {},
    references: averages.own.scalars(step),
  };
  return treeMap((value: number): HostArray => hostArray(value), scalars);
}
