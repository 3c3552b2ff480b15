/**
 * Trainer: a compiled train step and the state it works on, which stays on the device. Nothing random is carried from
 * step to step: the batch and the draws of step k follow from the seed and k alone, so that a trainer that is given a
 * saved state goes on exactly as the one that saved it would have.
 */
import {
  ArgumentError,
  assertSamePaths,
  checkOptions,
  formatType,
  HostArray,
  RandomKey,
  sameShape,
  ShapeError,
  TensorSpec,
  treeFlatten,
  treePaths,
  type Backend,
  type DType,
  type Graph,
  type Tree,
  type TreeStructure,
} from '@meanflow/core';
import type { EmaState } from './ema.js';
import { checkBatchConditions, checkBatchLabels, takeTree, type DataNeeds } from './step-data.js';
import { StepProgram, type DeviceState, type StepData, type StepResult } from './step-program.js';
import type { ParameterSource, TrainStepParts } from './train-step.js';
import { flattenTree, mapTree } from './trees.js';
import { Turn } from './turn.js';

/**
 * Where batches come from. A batch follows from the key and the step alone. What it holds is copied before the next one is
 * asked for, so that a source may fill the same memory again.
 */
export interface BatchSource<Batch> {
  /** @param key the run's key for data, the same for every step @param step from 0 @param size rows */
  batch(key: RandomKey, step: number, size: number): Batch;
}

export interface TrainerOptions<Params, Net, Batch, Draws> extends TrainStepParts<Net, Params, Batch, Draws> {
  /** What is trained. Where it has classes (`classCount`), labels of batches are checked. */
  readonly network: Net & ParameterSource<Params> & DataNeeds;
  readonly backend: Backend;
  readonly data: BatchSource<Batch>;
  /** Rows in a batch. */
  readonly batchSize: number;
  /** Decides initial parameters, batches and draws. A non-negative safe integer. */
  readonly seed: number;
  /**
   * Parameters to begin with in place of those of the seed, such as `adoptParameters` makes: of the structure, types and shapes
   * of the network's own. Averages begin as copies of them, and the optimizer anew. They are kept; nobody may change them.
   */
  readonly init?: NoInfer<Params>;
  /**
   * Updates that a run of the device makes where so many are to be made (Keras's `steps_per_execution`): the same
   * updates, with less between them. By default 1, and 8 on a backend whose runs copy their state (`copiesState`). The
   * time to compile grows in proportion, memory only by the batches; a run is not interrupted.
   */
  readonly stepsPerRun?: number;
  /**
   * Leave the state as it was where a step's loss or new state is not finite; its loss then reads as NaN. Every step
   * checks and chooses between two states for it, which costs passes over memory. False by default.
   */
  readonly guarded?: boolean;
}

/** What `stepsPerRun` is where runs copy their state. */
const STEPS_WHERE_COPIED = 8;

/** All that training has made of its parameters up to a step, on the host. */
export interface TrainState<Params = Tree<HostArray>> {
  /** Updates made. */
  readonly step: number;
  readonly params: Params;
  readonly optimizer: Tree<HostArray>;
  /** Averages by `emaKey(decay)`. */
  readonly ema: EmaState<Params>;
  /** What learning rates are multiplied by, where a run went back to smaller ones. */
  readonly rateScale?: number;
}

/** What a state is made of, without its values. A state itself says so too. */
export type StateTypes = {
  readonly [part in 'params' | 'optimizer' | 'ema']: Tree<HostArray | TensorSpec>;
};

/** The keys from which everything random in a run follows. */
export function trainingKeys(seed: number): Readonly<Record<'init' | 'data' | 'draws', RandomKey>> {
  const root = RandomKey.fromSeed(seed);
  return { init: root.fold('init'), data: root.fold('data'), draws: root.fold('draws') };
}

export class Trainer<Params extends Tree<HostArray> = Tree<HostArray>> {
  private constructor(
    /** Compiles a run of so many steps. */
    private readonly compile: (count: number) => Promise<StepProgram>,
    /** A run of one step. */
    private readonly one: StepProgram,
    private readonly structure: TreeStructure,
    private readonly rateOf: ((step: number) => number) | undefined,
    private readonly dataOf: StepData,
    /** Makes the state at step 0, which is not kept. */
    private readonly initial: () => TrainState<Params>,
    /** What the state is made of, without its values. */
    readonly stateTypes: StateTypes,
    readonly seed: number,
    readonly batchSize: number,
    /** Updates that a run makes where so many are to be made. */
    readonly stepsPerRun: number,
    /** Whether steps that are not finite leave the state as it was. */
    readonly guarded: boolean,
  ) {}

  private several: Promise<StepProgram> | undefined;
  /** Made when it is first asked for: a trainer that goes on from a saved state never holds two. */
  private held: DeviceState | undefined;
  private completed = 0;
  /** What learning rates are multiplied by, from the next run on; part of the state. */
  rateScale = 1;
  private readonly turn = new Turn('trainer');

  private get state(): DeviceState {
    return (this.held ??= flattenTree(stateTree(this.initialState)));
  }

  /** The state at step 0, made anew. */
  get initialState(): TrainState<Params> {
    return this.initial();
  }

  /**
   * Makes initial parameters, traces the train step and compiles it.
   *
   * @throws {ArgumentError} when the batch size, the steps per run or the seed are not in range
   * @throws {ShapeError | DTypeError | PytreeError} when network, objective and data do not fit together
   * @throws {BackendError} when the step cannot run on the backend
   */
  static async create<Net, Draws, Params extends Tree<HostArray> = never, Batch = never>(
    options: TrainerOptions<Params, Net, Batch, Draws>,
  ): Promise<Trainer<Params>> {
    checkOptions<TrainerOptions<Params, Net, Batch, Draws>>('Trainer.create', options, {
      backend: true,
      network: true,
      objective: true,
      optimizer: true,
      ema: true,
      data: true,
      batchSize: true,
      seed: true,
      stepsPerRun: true,
      guarded: true,
      init: true,
    });
    const { network, objective, optimizer, ema, data, backend, batchSize, seed } = options;
    const { stepsPerRun = backend.copiesState === true ? STEPS_WHERE_COPIED : 1 } = options;
    for (const [name, value] of Object.entries({ batchSize, stepsPerRun })) {
      if (Number.isSafeInteger(value) && value >= 1) continue;
      throw new ArgumentError(`Trainer: ${name} is a whole number from 1, got ${value}.`);
    }
    const keys = trainingKeys(seed);
    const { init: given } = options;
    if (given !== undefined) checkInit(given, network.init(keys.init));
    const initial = (): TrainState<Params> => {
      const params = given === undefined ? network.init(keys.init) : takeTree(given);
      return {
        step: 0,
        params,
        optimizer: optimizer.init(params),
        ema: ema === undefined ? {} : ema.init(params),
      };
    };
    const dataOf: StepData = (step) => {
      const batch = takeTree(data.batch(keys.data, step, batchSize) as Tree<HostArray>);
      checkBatchLabels(network, batch, step, batchSize);
      checkBatchConditions(network, batch, step, batchSize);
      const key = keys.draws.fold(step);
      const draws = objective.draw({ network, key, batch: batch as Batch, step });
      return { batch, draws: takeTree(draws as Tree<HostArray>) };
    };
    const state = mapTree(typeOf, stateTree(initial())) as StateTypes;
    const compile = (count: number) =>
      StepProgram.compile<Net, Params, Batch, Draws>(backend, options, { state, data: dataOf, count });
    return new Trainer(
      compile,
      await compile(1),
      treeFlatten<HostArray | TensorSpec>(state).structure,
      optimizer.learningRate && ((at) => optimizer.learningRate!(at)),
      dataOf,
      initial,
      state,
      seed,
      batchSize,
      stepsPerRun,
      options.guarded ?? false,
    );
  }

  /** Updates made so far. */
  get step(): number {
    return this.completed;
  }

  /** The graph of one train step. */
  get graph(): Graph {
    return this.one.graph;
  }

  /** The learning rate of an update, if the optimizer has one. @param step counted from 1 */
  learningRate(step: number): number | undefined {
    const rate = this.rateOf?.(step - 1);
    return rate === undefined ? undefined : this.rateScale * rate;
  }

  /** The batch that an update is made on. @param step counted from 1 */
  batchOf(step: number): Tree<HostArray> {
    return this.dataOf(step - 1).batch;
  }

  /**
   * Makes one update.
   *
   * @throws {BusyError} when another update is under way
   * @throws {DisposedError} after `dispose()`
   * @throws {ArgumentError} when the data holds labels that are no classes of the network
   */
  async advance(): Promise<StepResult> {
    const [result] = await this.turn.take('advance()', () => this.runProgram(this.one));
    return result;
  }

  /**
   * Makes the updates of one run: `stepsPerRun` of them where their number so far is a multiple of it, and one where
   * it is not or where `limit` comes before. So which updates share a run depends on their numbers and limits alone.
   * The first run of several compiles them.
   *
   * @param limit the number of updates that this run must not go beyond, above the number made so far
   * @throws {BackendError} when so many steps cannot be compiled for the backend
   * @throws {BusyError | DisposedError | ArgumentError} as `advance`
   */
  async advanceRun(limit = Infinity): Promise<readonly StepResult[]> {
    return this.turn.take('advanceRun()', async () => {
      const count = this.stepsPerRun;
      const fits = count > 1 && this.completed % count === 0 && this.completed + count <= limit;
      return this.runProgram(fits ? await (this.several ??= this.compile(count)) : this.one);
    });
  }

  private async runProgram(program: StepProgram): Promise<StepResult[]> {
    const { state, results } = await program.run(this.state, this.completed, this.rateScale);
    this.held = state;
    this.completed += program.count;
    return results;
  }

  /**
   * Copies the whole state to the host: that of one step, also when an update is under way, which is waited for.
   *
   * @throws {DisposedError} after `dispose()`
   */
  async snapshot(): Promise<TrainState<Params>> {
    await this.turn.idle('snapshot()');
    // Reads take what is there at the call, so that none of them sees a later step.
    const { completed: step, rateScale } = this;
    const leaves = await Promise.all(this.structure.paths.map((path) => this.read(path)));
    const tree = this.structure.unflatten(leaves) as Pick<TrainState<Params>, 'params' | 'optimizer' | 'ema'>;
    return {
      step,
      params: tree.params,
      optimizer: tree.optimizer,
      ema: tree.ema ?? {},
      ...(rateScale !== 1 && { rateScale }),
    };
  }

  /**
   * Copies parameters to the host: those of one step, as `snapshot`.
   *
   * @param average the key of an average (`emaKey(decay)`); the parameters themselves by default
   * @throws {ArgumentError} when there is no such average
   */
  async parameters(average?: string): Promise<Params> {
    const kept = Object.keys(this.stateTypes.ema ?? {});
    if (average !== undefined && !kept.includes(average)) {
      throw new ArgumentError(
        `There is no average of decay "${average}"; this trainer keeps ${kept.join(', ') || 'none'}.`,
      );
    }
    await this.turn.idle('parameters()');
    const prefix = average === undefined ? 'params' : `ema/${average}`;
    const { structure } = treeFlatten<HostArray | TensorSpec>(this.stateTypes.params);
    const paths = structure.paths.map((path) => (path === '' ? prefix : `${prefix}/${path}`));
    return structure.unflatten(await Promise.all(paths.map((path) => this.read(path)))) as Params;
  }

  /**
   * Goes on from a saved state, whose arrays are the trainer's from then on.
   *
   * @throws {BusyError} when an update is under way
   * @throws {DisposedError} after `dispose()`
   * @throws {PytreeError} when its trees have another structure; `checkpointState` says more about a checkpoint's
   */
  restore(state: TrainState<Params>): void {
    this.turn.check('restore()');
    const next = flattenTree(stateTree(state));
    const paths = (of: readonly string[]) => of.map((path) => ({ path }));
    assertSamePaths('Trainer.restore', paths(this.structure.paths), paths(Object.keys(next)));
    this.disposeState();
    this.held = next;
    this.completed = state.step;
    this.rateScale = state.rateScale ?? 1;
  }

  /** Frees the state and the executables, once the update that is under way is done; doing so twice is allowed. */
  dispose(): Promise<void> {
    return this.turn.end(async () => {
      this.disposeState();
      await this.one.dispose();
      // A compilation that failed was reported by the run that wanted it.
      await this.several?.then(
        (program) => program.dispose(),
        () => undefined,
      );
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  private async read(path: string): Promise<HostArray> {
    const value = this.state[path];
    return value instanceof HostArray ? value.clone() : value.read();
  }

  private disposeState(): void {
    for (const value of Object.values(this.held ?? {})) if (!(value instanceof HostArray)) value.dispose();
    this.held = {};
  }
}

/** @throws {PytreeError | ShapeError} unless parameters to begin with are what the network makes, but for their values */
function checkInit(given: Tree<HostArray>, own: Tree<HostArray>): void {
  const context = 'Trainer.create: init';
  const [mine, theirs] = [treePaths<HostArray>(own), treePaths<HostArray>(given)];
  assertSamePaths(context, mine, theirs);
  for (const [i, { path, leaf }] of theirs.entries()) {
    const expected = mine[i]!.leaf;
    if (leaf.dtype === expected.dtype && sameShape(leaf.shape, expected.shape)) continue;
    throw new ShapeError(
      `${context}: "${path}" is ${formatType(leaf)}, and the network's is ${formatType(expected)}. ` +
        'adoptParameters fits parameters to a network of another configuration.',
    );
  }
}

/** A dtype that no graph takes is reported by the trace. */
function typeOf({ dtype, shape }: HostArray): TensorSpec {
  return new TensorSpec(dtype as DType, shape);
}

/** The trees of a state, without its step: what lives on the device. */
export function stateTree(state: TrainState): Record<'params' | 'optimizer' | 'ema', Tree<HostArray>> {
  return { params: state.params, optimizer: state.optimizer, ema: state.ema };
}
