/**
 * StepProgram: the train step of a stage as one executable. What enters is the state, the parameters of frozen networks, and
 * the step's batch, draws and scalars, all of which follow from the number of the step; what leaves is the state after the
 * step, its loss and its metrics. Of a stage whose averages are due only every so many steps there are two: in the steps
 * between, averages neither enter nor leave.
 */
import {
  compile,
  hostArray,
  traceGivingWay,
  treeLeaves,
  treeMap,
  type Backend,
  type CompileOptions,
  type CompileProgress,
  type DeviceArray,
  type Graph,
  HostArray,
  type RunInput,
  type RunOptions,
  type SpecLeaf,
  type Tensor,
  type Tree,
} from '@meanflow/core';
import { frozenOf } from './references.js';
import {
  trainStep,
  type DataTrees,
  type FrozenTrees,
  type StateTrees,
  type StepInput,
  type StepParts,
  type StepScalars,
  type TrainStepInput,
} from './train-step.js';

/** The scalars that a step leaves on the device. Read them or not, then dispose of them. */
export interface StepResult {
  /** Which update this was, counted from 1. */
  readonly step: number;
  readonly loss: DeviceArray;
  readonly metrics: Readonly<Record<string, DeviceArray>>;
}

/** Batch and draws of a step. @param step updates made before */
export type StepData = (step: number) => DataTrees<HostArray>;

/** What a step is compiled of. */
export interface StepSource extends StepParts {
  readonly backend: Backend;
  /** Of which only structure and types are used. */
  readonly state: StateTrees<SpecLeaf>;
  readonly data: StepData;
  /** Told when a phase of making it begins. */
  readonly onPhase?: ((phase: StepPhase) => void) | undefined;
}

/** What a step that is made is at. */
export type StepPhase = 'tracing' | CompileProgress['phase'];

/** What makes a step. */
export interface Step {
  readonly graph: Graph;
  /**
   * Makes a step. The state's device arrays are donated.
   *
   * @param frozen the stage's frozen parameters
   * @param step updates made before
   * @param rateScale what learning rates are multiplied by
   */
  run(
    state: StateTrees<RunInput>,
    frozen: FrozenTrees<RunInput>,
    step: number,
    rateScale: number,
  ): Promise<StepMade>;
  dispose(): Promise<void>;
}

/** The state after a step, and what the step left. */
export interface StepMade {
  readonly state: StateTrees<RunInput>;
  readonly result: StepResult;
}

/** Frees what a step left. */
export function disposeResult({ loss, metrics }: StepResult): void {
  for (const array of [loss, ...Object.values(metrics)]) array.dispose();
}

/** Frees what of a tree is on the device. */
export function disposeArrays(tree: Tree<RunInput>): void {
  for (const array of treeLeaves(tree)) if (!(array instanceof HostArray)) array.dispose();
}

/** All that enters is the trainer's own: copies of batches and draws, and the state. */
export const OWN: RunOptions = { borrow: true };

/** Whether the run's averages change in a step. @param step updates made before */
export function averagesAreDue({ ema }: Pick<StepParts, 'ema'>, step: number): boolean {
  return ema !== undefined && (step + 1) % ema.every === 0;
}

export class StepProgram implements Step {
  private constructor(
    readonly graph: Graph,
    readonly run: Step['run'],
    readonly dispose: () => Promise<void>,
  ) {}

  /**
   * @param withAverages whether it is for the steps in which the run's averages are due; in the others no loss looks at them,
   *   for an average that losses share is due in every step
   * @throws {BackendError} when the step cannot run on the backend
   */
  static async compile(source: StepSource, withAverages: boolean): Promise<StepProgram> {
    if (withAverages || source.ema === undefined) {
      const program = await compile(source.backend, await traceStep(source), compileOptions(source));
      const run: Step['run'] = async (state, frozen, step, rateScale) => {
        const input = stepInput(source, step, rateScale);
        const { loss, metrics, ...next } = await program.run({ ...state, frozen, ...input }, OWN);
        return { state: next, result: { step: step + 1, loss, metrics } };
      };
      return new StepProgram(program.executable.graph, run, program.dispose);
    }
    const without = { ...source, ema: undefined, state: { ...source.state, ema: {} } };
    const program = await StepProgram.compile(without, false);
    const run: Step['run'] = async ({ ema, ...state }, ...rest) => {
      const made = await program.run({ ...state, ema: {} }, ...rest);
      return { ...made, state: { ...made.state, ema } };
    };
    return new StepProgram(program.graph, run, program.dispose);
  }
}

/** What of a state's trees is not empty, which outputs replace; and who is told how far it is. */
export function compileOptions({
  state,
  onPhase,
}: Pick<StepSource, 'state' | 'onPhase'>): Pick<CompileOptions, 'state' | 'onProgress'> {
  const parts = Object.entries(state).filter(([, tree]) => treeLeaves<SpecLeaf>(tree).length > 0);
  return {
    state: Object.fromEntries(parts.map(([part]) => [part, part])),
    ...(onPhase && { onProgress: ({ phase }) => onPhase(phase) }),
  };
}

/**
 * Traces one step, giving way to other work.
 *
 * @throws {ShapeError | DTypeError | PytreeError} when network, objective and data do not fit together
 */
export async function traceStep(source: StepSource) {
  const { stage, state, onPhase } = source;
  onPhase?.('tracing');
  const example = { ...state, frozen: frozenOf(stage), ...stepInput(source, stage.from, 1) };
  const step = (input: TrainStepInput<Tensor>) => trainStep(source, input);
  return traceGivingWay(step, example, { name: nameOf(source) });
}

function nameOf({ stage }: StepSource): string {
  return `train ${stage.name}${stage.from === 0 ? '' : ` from step ${stage.from}`}`;
}

/** What a step takes for itself, from the host. @param step updates made before */
function stepInput(source: StepSource, step: number, rateScale: number): StepInput<HostArray> {
  return { ...source.data(step), scalars: stepScalars(source, step, rateScale) };
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
