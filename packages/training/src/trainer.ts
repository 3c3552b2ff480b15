/**
 * Trainer: a compiled train step and the state it works on, which stays on the device. Nothing random is carried from
 * step to step: the batch and the draws of step k follow from the seed and k alone, so that a trainer that is given a
 * saved state goes on exactly as the one that saved it would have.
 */
import {
  ArgumentError,
  assertSamePaths,
  hostArray,
  HostArray,
  RandomKey,
  trace,
  treeFlatten,
  type Backend,
  type DeviceArray,
  type Executable,
  type Graph,
  type RunInput,
  type Tree,
  type TreeStructure,
} from '@meanflow/core';
import type { EmaState } from './ema.js';
import {
  trainStep,
  type ParameterSource,
  type TrainStepInput,
  type TrainStepOutput,
  type TrainStepParts,
} from './train-step.js';
import { flattenTree, mapTree } from './trees.js';

/** Where batches come from. A batch follows from the key and the step alone. */
export interface BatchSource<Batch> {
  /** @param key the run's key for data, the same for every step @param step from 0 @param size rows */
  batch(key: RandomKey, step: number, size: number): Batch;
}

export interface TrainerOptions<Params, Net, Batch, Draws> extends TrainStepParts<Net, Batch, Draws> {
  readonly network: Net & ParameterSource<Params>;
  readonly backend: Backend;
  readonly data: BatchSource<Batch>;
  /** Rows in a batch. */
  readonly batchSize: number;
  /** Decides initial parameters, batches and draws. A non-negative safe integer. */
  readonly seed: number;
}

/** All that training has made of its parameters up to a step, on the host. */
export interface TrainState<Params = Tree<HostArray>> {
  /** Updates made. */
  readonly step: number;
  readonly params: Params;
  readonly optimizer: Tree<HostArray>;
  /** Averages by `emaKey(decay)`. */
  readonly ema: EmaState<Params>;
}

/** The scalars that a step leaves on the device. Read them or not, then dispose of them. */
export interface StepResult {
  /** Which update this was, counted from 1. */
  readonly step: number;
  readonly loss: DeviceArray;
  readonly metrics: Readonly<Record<string, DeviceArray>>;
}

/** The keys from which everything random in a run follows. */
export function trainingKeys(seed: number): Readonly<Record<'init' | 'data' | 'draws', RandomKey>> {
  const root = RandomKey.fromSeed(seed);
  return { init: root.fold('init'), data: root.fold('data'), draws: root.fold('draws') };
}

export class Trainer<Params extends Tree<HostArray> = Tree<HostArray>> {
  private constructor(
    private readonly executable: Executable,
    private readonly structure: TreeStructure,
    private readonly inputsOf: (step: number) => Record<string, HostArray>,
    private readonly rateOf: ((step: number) => number) | undefined,
    /** The state at step 0. */
    readonly initialState: TrainState<Params>,
    readonly seed: number,
    readonly batchSize: number,
  ) {
    this.state = flattenTree(stateTree(initialState));
  }

  private state: Record<string, RunInput>;
  private completed = 0;

  /**
   * Makes initial parameters, traces the train step and compiles it.
   *
   * @throws {ArgumentError} when the batch size or the seed is not in range
   * @throws {ShapeError | DTypeError | PytreeError} when network, objective and data do not fit together
   * @throws {BackendError} when the step cannot run on the backend
   */
  static async create<Params extends Tree<HostArray>, Net, Batch, Draws>(
    options: TrainerOptions<Params, Net, Batch, Draws>,
  ): Promise<Trainer<Params>> {
    const { network, objective, optimizer, ema, data, backend, batchSize, seed } = options;
    if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
      throw new ArgumentError(`The batch size is a whole number from 1, got ${batchSize}.`);
    }
    const keys = trainingKeys(seed);
    const params = network.init(keys.init);
    const initial: TrainState<Params> = {
      step: 0,
      params,
      optimizer: optimizer.init(params),
      ema: ema === undefined ? {} : ema.init(params),
    };
    const inputs = (step: number): Tree<HostArray> => {
      const batch = data.batch(keys.data, step, batchSize);
      const scalars: Tree<number> = {
        optimizer: optimizer.scalars(step),
        ema: ema === undefined ? {} : ema.scalars(step),
      };
      return {
        batch: batch as Tree<HostArray>,
        draws: objective.draw(keys.draws.fold(step), batch) as Tree<HostArray>,
        scalars: mapTree((value) => hostArray(value), scalars),
      };
    };
    const example: Tree<HostArray> = {
      ...stateTree(initial),
      ...(inputs(0) as Record<string, Tree<HostArray>>),
    };
    const graph = traceTree(trainStep<Net, Batch, Draws>(options), example, `train ${objective.name}`);
    const { structure } = treeFlatten<HostArray>(stateTree(initial));
    const state = Object.fromEntries(structure.paths.map((path) => [path, path]));
    const executable = await backend.compile(graph, { state });
    return new Trainer(
      executable,
      structure,
      (at) => flattenTree(inputs(at)),
      optimizer.learningRate && ((at) => optimizer.learningRate!(at)),
      initial,
      seed,
      batchSize,
    );
  }

  /** Updates made so far. */
  get step(): number {
    return this.completed;
  }

  /** The graph of the train step. */
  get graph(): Graph {
    return this.executable.graph;
  }

  /** The learning rate of an update, if the optimizer has one. @param step counted from 1 */
  learningRate(step: number): number | undefined {
    return this.rateOf?.(step - 1);
  }

  /** Makes one update. */
  async advance(): Promise<StepResult> {
    const outputs = await this.executable.run({ ...this.state, ...this.inputsOf(this.completed) });
    this.state = Object.fromEntries(this.structure.paths.map((path) => [path, outputs[path]]));
    this.completed += 1;
    const metrics = Object.entries(outputs).filter(([name]) => name.startsWith('metrics/'));
    return {
      step: this.completed,
      loss: outputs.loss,
      metrics: Object.fromEntries(metrics.map(([name, value]) => [name.slice('metrics/'.length), value])),
    };
  }

  /** Copies the whole state to the host. */
  async snapshot(): Promise<TrainState<Params>> {
    const leaves = await Promise.all(this.structure.paths.map((path) => this.read(path)));
    const tree = this.structure.unflatten(leaves) as Omit<TrainState<Params>, 'step'>;
    return { step: this.completed, params: tree.params, optimizer: tree.optimizer, ema: tree.ema ?? {} };
  }

  /**
   * Copies parameters to the host.
   *
   * @param average the key of an average (`emaKey(decay)`); the parameters themselves by default
   * @throws {ArgumentError} when there is no such average
   */
  async parameters(average?: string): Promise<Params> {
    const kept = Object.keys(this.initialState.ema);
    if (average !== undefined && !kept.includes(average)) {
      throw new ArgumentError(
        `There is no average of decay "${average}"; this trainer keeps ${kept.join(', ') || 'none'}.`,
      );
    }
    const prefix = average === undefined ? 'params' : `ema/${average}`;
    const { structure } = treeFlatten<HostArray>(this.initialState.params);
    const paths = structure.paths.map((path) => (path === '' ? prefix : `${prefix}/${path}`));
    return structure.unflatten(await Promise.all(paths.map((path) => this.read(path)))) as Params;
  }

  /**
   * Goes on from a saved state.
   *
   * @throws {PytreeError} when its trees have another structure; `checkpointState` says more about a checkpoint's
   */
  restore(state: TrainState<Params>): void {
    const next = flattenTree(stateTree(state));
    const paths = (of: readonly string[]) => of.map((path) => ({ path }));
    assertSamePaths('Trainer.restore', paths(this.structure.paths), paths(Object.keys(next)));
    this.disposeState();
    this.state = next;
    this.completed = state.step;
  }

  /** Frees the state and the executable. */
  async dispose(): Promise<void> {
    this.disposeState();
    await this.executable.dispose();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  private async read(path: string): Promise<HostArray> {
    const value = this.state[path];
    return value instanceof HostArray ? value : value.read();
  }

  private disposeState(): void {
    for (const value of Object.values(this.state)) if (!(value instanceof HostArray)) value.dispose();
    this.state = {};
  }
}

/** The trees of a state, without its step: what lives on the device. */
export function stateTree(state: TrainState): Record<'params' | 'optimizer' | 'ema', Tree<HostArray>> {
  return { params: state.params, optimizer: state.optimizer, ema: state.ema };
}

/** Traces a function of a tree whose structure only the example knows. */
function traceTree(
  f: (input: TrainStepInput) => TrainStepOutput,
  example: Tree<HostArray>,
  name: string,
): Graph {
  // The type of a traced tree maps its leaves, which the compiler cannot do for a tree of any depth.
  const traceUntyped = trace as (f: unknown, input: unknown, options: { name: string }) => { graph: Graph };
  return traceUntyped(f, example, { name }).graph;
}
