/**
 * Trainer: a compiled train step and the state it works on, which stays on the device. Nothing random is carried from
 * step to step: the batch and the draws of step k follow from the seed and k alone, so that a trainer that is given a
 * saved state goes on exactly as the one that saved it would have.
 */
import {
  drainGivingWay,
  ArgumentError,
  fitMemory,
  type HostArray,
  type TensorSpec,
  treeMap,
  treePaths,
  type CancellationSignal,
  type Graph,
  type MemoryPlan,
  type NoReferences,
  type References,
  type RowRange,
  type Precision,
  type RunInput,
  type Tree,
  type TreeOf,
} from '@meanflow/core';
import { assertSamePaths, checkRows } from '@meanflow/core/validation';
import { frozenChecksums, FrozenParameters } from './frozen-parameters.js';
import { AccumulatedStep, GradientProgram, tracePart, UpdateProgram } from './gradient-program.js';
import { referenceAverages } from './references.js';
import { stageAt, stagesOf, type Stage } from './stages.js';
import { StagePrograms } from './stage-programs.js';
import { checkBatchConditions, checkBatchLabels, takeTree } from './step-data.js';
import {
  averagesAreDue,
  disposeArrays,
  disposeResult,
  StepProgram,
  traceStep,
  type Step,
  type StepMade,
  type StepResult,
  type StepSource,
} from './step-program.js';
import { withLossScale } from './loss-scaling.js';
import { gradientTrees, StepGradients, type HostGradients } from './step-gradients.js';
import type { StateTrees } from './train-step.js';
import {
  readTree,
  stateTree,
  typeOf,
  type StateParts,
  type StateTypes,
  type TrainState,
} from './train-state.js';
import {
  checkInit,
  exampleParameters,
  takeOptions,
  trainingKeys,
  type AnyTrainerOptions,
  type BeginPhase,
  type TrainerOptions,
} from './trainer-options.js';
import { Turn } from './turn.js';

/** What every call that may take long takes. */
export interface CallOptions {
  readonly signal?: CancellationSignal | undefined;
}

/** @throws {ArgumentError} when the loss of a batch is more than the mean over its rows */
function checkUncoupled({ name, couplesRows }: Stage): void {
  if (!couplesRows) return;
  throw new ArgumentError(
    `The loss of "${name}" couples the rows of a batch, which therefore cannot be taken in parts.`,
  );
}

/** Traces steps, one after the other. */
async function traceAll(sources: readonly StepSource[]): Promise<void> {
  for (const source of sources) await traceStep(source);
}

/** Tells phases as they begin, each once in a row. */
function beginTeller(onProgress: AnyTrainerOptions['onProgress']): (phase: BeginPhase) => void {
  const began = Date.now();
  let told: BeginPhase | undefined;
  return (phase) => {
    if (phase !== told) onProgress?.({ phase, seconds: (Date.now() - began) / 1000 });
    told = phase;
  };
}

/** What a trainer is made of. */
interface TrainerParts<Params> {
  readonly precision: Precision;
  readonly stages: readonly [Stage, ...Stage[]];
  /** By whether the run's averages are due. */
  readonly programs: StagePrograms<Step, boolean>;
  /** By rows. */
  readonly gradients: StagePrograms<GradientProgram, number>;
  readonly updates: StagePrograms<UpdateProgram, 'update'>;
  readonly frozen: FrozenParameters;
  readonly dataOf: (stage: Stage, step: number) => ReturnType<StepSource['data']>;
  /** Whether a step, after so many updates, is one of a program that has the averages. */
  readonly isWithAverages: (step: number) => boolean;
  /** The learning rate by updates made before. */
  readonly rateOf: ((step: number) => number) | undefined;
  /** Makes the state at step 0, which is not kept. */
  readonly initial: () => TrainState<Params>;
  /** The same, without holding the event loop while parameters are drawn. */
  readonly initialGivingWay: () => Promise<TrainState<Params>>;
  /** Told that the first step is about to be made. */
  readonly onFirstStep: () => void;
}

export class Trainer<Params extends TreeOf<Params, HostArray> = Tree<HostArray>> {
  private constructor(
    private readonly parts: TrainerParts<Params>,
    /** What the state is made of, without its values. */
    readonly stateTypes: StateTypes,
    readonly seed: number,
    readonly batchSize: number,
    /** Whether steps that are not finite leave the state as it was. */
    readonly guarded: boolean,
    /** What made the last step, or will make the first. */
    private latest: Step,
    /** Parts in which a batch is taken, one after the other. */
    readonly accumulate: number,
    /** What the first stage recomputes, where there is a budget of memory. */
    readonly memoryPlan: MemoryPlan | undefined,
  ) {}

  /** Made when it is first asked for: a trainer that goes on from a saved state never holds two. */
  private held: StateTrees<RunInput> | undefined;
  private completed = 0;
  private hasStepped = false;
  /** What learning rates are multiplied by, from the next run on; part of the state. */
  rateScale = 1;
  private readonly turn = new Turn('trainer');

  /** The state for a run, which may be asked for while nothing else of the trainer is under way. */
  private async readyState(): Promise<StateTrees<RunInput>> {
    return (this.held ??= stateTree(await this.parts.initialGivingWay()));
  }

  private get state(): StateTrees<RunInput> {
    return (this.held ??= stateTree(this.initialState));
  }

  /** The state at step 0, made anew. */
  get initialState(): TrainState<Params> {
    return this.parts.initial();
  }

  /**
   * Makes initial parameters, traces the train step of every stage and compiles that of the first. Those of later stages are
   * compiled when they are reached, or restored to.
   *
   * @throws {ArgumentError} when the batch size, the seed, or the objective's stages or references are not in range
   * @throws {ShapeError | DTypeError | PytreeError} when network, objective and data do not fit together
   * @throws {BackendError} when the step cannot run on the backend
   */
  static async create<
    Net,
    Draws,
    Params extends TreeOf<Params, HostArray> = never,
    Batch = never,
    Refs extends References = NoReferences,
  >(options: TrainerOptions<Params, Net, Batch, Draws, Refs>): Promise<Trainer<Params>>;
  // Here the types of an objective's trees end: beyond, they are trees.
  static async create(options: AnyTrainerOptions): Promise<Trainer> {
    const { network, objective, ema, data, backend, batchSize, seed, init } = options;
    const { accumulate, guarded, memory, precision } = takeOptions(options);
    const tell = beginTeller(options.onProgress);
    const optimizer = precision === 'float16' ? withLossScale(options.optimizer) : options.optimizer;
    const keys = trainingKeys(seed);
    const example = exampleParameters(network, keys.init);
    if (init !== undefined) checkInit(init, example);
    const stages = stagesOf(objective, network);
    if (accumulate > 1) checkUncoupled(stages[0]);
    const averages = referenceAverages(stages, ema);
    const stateFrom = (params: Tree<HostArray>): TrainState => ({
      step: 0,
      params,
      optimizer: optimizer.init(params),
      ema: ema === undefined ? {} : ema.init(params),
      ...(averages.own.keys.length > 0 && { references: averages.own.init(params) }),
    });
    const initial = (): TrainState =>
      stateFrom(init === undefined ? network.init(keys.init) : takeTree(init));
    const initialGivingWay = async (): Promise<TrainState> => {
      const steps = init === undefined ? network.init.inSteps?.(keys.init) : undefined;
      return steps === undefined ? initial() : stateFrom(await drainGivingWay(steps));
    };
    const dataOf: TrainerParts<Tree<HostArray>>['dataOf'] = (stage, step) => {
      const batch = takeTree(data.batch(keys.data, step, batchSize));
      checkBatchLabels(network, batch, step, batchSize);
      checkBatchConditions(network, batch, step, batchSize);
      return { batch, draws: takeTree(stage.draw({ key: keys.draws.fold(step), batch, step })) };
    };
    const state = treeMap(typeOf, stateTree(stateFrom(example)));
    // Of the programs that are made later nobody is told: there are steps meanwhile.
    let isBegun = false;
    const sourceOf = (stage: Stage): StepSource => ({
      ...{ backend, stage, averages, optimizer, ema, guarded, precision, state },
      data: (step) => dataOf(stage, step),
      onPhase: (phase) => {
        if (!isBegun) tell(phase);
      },
    });
    const plans = new Map<Stage, Promise<MemoryPlan>>();
    /** What a stage's blocks are recomputed by; chosen when its first program is wanted. */
    const planOf = async (stage: Stage): Promise<MemoryPlan | undefined> => {
      if (memory === undefined) return undefined;
      const known = plans.get(stage);
      if (known !== undefined) return known;
      const made = fitMemory(memory, async (blocks) => {
        const source = { ...sourceOf(stage), blocks };
        if (accumulate === 1) return (await traceStep(source)).graph;
        return (await tracePart(source, batchSize, accumulate)).traced.graph;
      });
      plans.set(stage, made);
      return made;
    };
    const fitted = async (stage: Stage): Promise<StepSource> => {
      const plan = await planOf(stage);
      return { ...sourceOf(stage), blocks: plan && { recomputed: new Set(plan.recomputed) } };
    };
    // Parts of a batch meet in an update of their own, whose averages have a weight of 0 between.
    const isWithAverages = (step: number) => accumulate > 1 || averagesAreDue({ ema }, step);
    const programs = new StagePrograms<Step, boolean>(async (stage, withAverages) =>
      accumulate === 1
        ? StepProgram.compile(await fitted(stage), withAverages)
        : AccumulatedStep.compile(await fitted(stage), batchSize, accumulate),
    );
    const gradients = new StagePrograms(async (stage, rows: number) =>
      GradientProgram.compile(await fitted(stage), rows, batchSize),
    );
    const updates = new StagePrograms((stage, _: 'update') =>
      UpdateProgram.compile(sourceOf(stage), batchSize),
    );
    const compiled = programs.of(stages[0], isWithAverages(0));
    // So that what does not fit shows before the first step, not at the thousandth; and while the runtime makes that ready.
    const later = traceAll(stages.slice(1).map((stage) => ({ ...sourceOf(stage), onPhase: undefined })));
    later.catch(() => {});
    const first = await compiled;
    await later.catch(async (error: unknown) => {
      await programs.dispose();
      throw error;
    });
    isBegun = true;
    const rateOf = optimizer.learningRate && ((step: number) => optimizer.learningRate!(step));
    const frozen = new FrozenParameters(backend);
    const parts = {
      precision,
      stages,
      programs,
      gradients,
      updates,
      frozen,
      dataOf,
      rateOf,
      initial,
      initialGivingWay,
      isWithAverages,
      onFirstStep: () => tell('first step'),
    };
    const plan = await planOf(stages[0]);
    return new Trainer(parts, state, seed, batchSize, guarded, first, accumulate, plan);
  }

  /** Updates made so far. */
  get step(): number {
    return this.completed;
  }

  /**
   * The graph of one train step, of the stage in which the last one was made; where gradients are accumulated, that of the
   * gradients of one part.
   */
  get graph(): Graph {
    return this.latest.graph;
  }

  /** Checksums of the frozen networks' parameters, by the names of references, and `name@step` from a later stage on. */
  get frozen(): Readonly<Record<string, string>> {
    return (this.checksums ??= frozenChecksums(this.parts.stages));
  }

  private checksums: Readonly<Record<string, string>> | undefined;

  private get stage(): Stage {
    return stageAt(this.parts.stages, this.completed);
  }

  /** The learning rate of an update, if the optimizer has one. @param step counted from 1 */
  learningRate(step: number): number | undefined {
    const rate = this.parts.rateOf?.(step - 1);
    return rate === undefined ? undefined : this.rateScale * rate;
  }

  /** The batch that an update is made on. @param step counted from 1 */
  batchOf(step: number): Tree<HostArray> {
    return this.parts.dataOf(stageAt(this.parts.stages, step - 1), step - 1).batch;
  }

  /**
   * Makes one update.
   *
   * @throws {BusyError} when another update is under way
   * @throws {DisposedError} after `dispose()`
   * @param options.signal looked at before it begins, whose reason it then rejects with
   * @throws {ArgumentError} when the data holds labels that are no classes of the network
   */
  async advance({ signal }: CallOptions = {}): Promise<StepResult> {
    return this.turn.take('advance()', async () => {
      signal?.throwIfAborted();
      const { frozen } = this.parts;
      this.latest = await this.program();
      if (!this.hasStepped) this.parts.onFirstStep();
      this.hasStepped = true;
      const frozenArrays = await frozen.of(this.stage);
      return this.take(
        await this.latest.run(await this.readyState(), frozenArrays, this.completed, this.rateScale),
      );
    });
  }

  /**
   * Makes updates as a loop asks for them, until so many have been made in all. A result is the loop's until it asks for the
   * next, and is disposed of then: read what is wanted of it. Leaving the loop leaves the trainer as it is.
   *
   * @param options.signal looked at before each update, whose reason the loop is then ended with
   */
  async *steps({
    until,
    signal,
  }: CallOptions & { readonly until: number }): AsyncGenerator<StepResult, void> {
    while (this.completed < until) {
      const result = await this.advance({ signal });
      try {
        yield result;
      } finally {
        disposeResult(result);
      }
    }
  }

  /**
   * The first half of the next step: the loss of some rows of its batch, with the draws that are those rows', and its gradient.
   * The state stays as it is. With {@link update} it is for whoever averages gradients of parts of a batch, such as several
   * processes, each of which has a trainer of the whole batch size and takes its own rows; see `averageGradients`.
   *
   * @param options.from,to the rows, `[from, to)`; all of the batch by default
   * @throws {ArgumentError} when they are not rows of the batch, or the objective's loss is not the mean over rows
   * @throws {BusyError | DisposedError} as `advance`
   */
  async gradients({
    from = 0,
    to = this.batchSize,
    signal,
  }: CallOptions & Partial<Pick<RowRange, 'from' | 'to'>> = {}): Promise<StepGradients<Params>> {
    this.checkWhole('gradients()');
    return this.turn.take('gradients()', async () => {
      signal?.throwIfAborted();
      const { stage, parts } = this;
      const range = { from, to, of: this.batchSize };
      checkRows(range);
      if (to - from !== this.batchSize) checkUncoupled(stage);
      const program = await parts.gradients.of(stage, to - from);
      const frozen = await parts.frozen.of(stage);
      return new StepGradients(
        to - from,
        await program.run(await this.readyState(), frozen, this.completed, range),
      );
    });
  }

  /**
   * The second half of a step: the update that gradients of its whole batch make. They stay the caller's.
   *
   * @throws {PytreeError} when they are those of other parameters, or have other metrics
   * @throws {BusyError | DisposedError} as `advance`
   */
  async update(
    gradients: HostGradients<Params> | StepGradients<Params>,
    { signal }: CallOptions = {},
  ): Promise<StepResult> {
    this.checkWhole('update()');
    return this.turn.take('update()', async () => {
      signal?.throwIfAborted();
      const given = gradients instanceof StepGradients ? gradients.arrays : gradientTrees(gradients);
      const program = await this.parts.updates.of(this.stage, 'update');
      assertSamePaths('Trainer.update', treePaths(program.types), treePaths<RunInput>(given));
      return this.take(await program.run(await this.readyState(), given, this.completed, this.rateScale));
    });
  }

  /** What makes the next step: compiled when it is first wanted. */
  private program(): Promise<Step> {
    const { programs, isWithAverages } = this.parts;
    return programs.of(this.stage, isWithAverages(this.completed));
  }

  private take({ state, result }: StepMade): StepResult {
    this.held = state;
    this.completed++;
    return result;
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
    const trees = await readTree<StateParts<Params>>(await this.readyState());
    return { ...trees, step, ...(rateScale !== 1 && { rateScale }) };
  }

  /**
   * Copies parameters to the host: those of one step, as `snapshot`.
   *
   * @param average the key of an average (`emaKey(decay)`); the parameters themselves by default
   * @throws {ArgumentError} when there is no such average
   */
  async parameters(average?: string): Promise<Params> {
    const kept = Object.keys(this.stateTypes.ema);
    if (average !== undefined && !kept.includes(average)) {
      throw new ArgumentError(
        `There is no average of decay "${average}"; this trainer keeps ${kept.join(', ') || 'none'}.`,
      );
    }
    await this.turn.idle('parameters()');
    const { params, ema } = this.state;
    return readTree<Params>(average === undefined ? params : ema[average]);
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
    const next = stateTree(state);
    const paths = (of: StateTypes) => treePaths<HostArray | TensorSpec>(of);
    assertSamePaths('Trainer.restore', paths(this.stateTypes), paths(next));
    this.disposeState();
    this.held = next;
    this.completed = state.step;
    this.rateScale = state.rateScale ?? 1;
    // Begun at once, and waited for by the next step.
    void this.program();
  }

  /** @throws {ArgumentError} where the loss is scaled inside of a step, whose halves are then nobody's */
  private checkWhole(call: string): void {
    if (this.parts.precision === 'float32') return;
    throw new ArgumentError(
      `Trainer.${call}: the halves of a step are for precision float32; call advance().`,
    );
  }

  /** Frees the state and the executables, once the update that is under way is done; doing so twice is allowed. */
  dispose(): Promise<void> {
    return this.turn.end(async () => {
      this.disposeState();
      for (const programs of [this.parts.programs, this.parts.gradients, this.parts.updates])
        await programs.dispose();
      await this.parts.frozen.dispose();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  private disposeState(): void {
    disposeArrays(this.held);
    this.held = undefined;
  }
}
