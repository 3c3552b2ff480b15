/**
 * What a trainer is given, and what of it is right: options are checked, and completed, before anything is traced.
 */
import {
  ArgumentError,
  precisions,
  hostZeros,
  RandomKey,
  sameShape,
  ShapeError,
  treeLeaves,
  treeMap,
  treePaths,
  type Backend,
  type HostArray,
  type NoReferences,
  type Objective,
  type Precision,
  type References,
  type Tree,
} from '@meanflow/core';
import { assertSamePaths, checkOptions, describeValue, formatType } from '@meanflow/core/validation';
import type { ParameterSpec } from '@meanflow/models';
import type { Ema } from './ema.js';
import type { GradientTransform } from './gradient-transform.js';
import type { DataNeeds } from './step-data.js';
import type { StepPhase } from './step-program.js';
import type { ParameterSource } from './train-step.js';

/**
 * Where batches come from. A batch follows from the key and the step alone. What it holds is copied before the next one is
 * asked for, so that a source may fill the same memory again.
 */
export interface BatchSource<Batch> {
  /** @param key the run's key for data, the same for every step @param step from 0 @param size rows */
  batch(key: RandomKey, step: number, size: number): Batch;
}

/** What a trainer is at before it has made a step: its program is traced, prepared and compiled, and then run for the first time. */
export type BeginPhase = StepPhase | 'first step';

/** Told when a phase begins. */
export interface BeginProgress {
  readonly phase: BeginPhase;
  /** Since `Trainer.create` was called. */
  readonly seconds: number;
}

export interface TrainerOptions<Params, Net, Batch, Draws, Refs extends References = NoReferences> {
  /** What is trained. Where it has classes (`classCount`), labels of batches are checked. */
  readonly network: Net & ParameterSource<Params> & DataNeeds;
  readonly objective: Objective<NoInfer<Net>, NoInfer<Params>, NoInfer<Batch>, Draws, Refs>;
  readonly optimizer: GradientTransform;
  readonly ema?: Ema;
  readonly backend: Backend;
  readonly data: BatchSource<Batch>;
  /** Rows in a batch. */
  readonly batchSize: number;
  /**
   * Take each batch in so many equal parts, one after the other, and update by the mean of their gradients: the same update as
   * that of the whole batch, to rounding, in the memory of one part. 1 by default.
   */
  readonly accumulate?: number | undefined;
  /**
   * Bytes that a step may take. Where it would take more, blocks of the network are computed again in its backward pass, as few as
   * bring the peak of its graph below; `memoryPlan` says which. By default everything is kept.
   */
  readonly memory?: number | undefined;
  /** Decides initial parameters, batches and draws. A non-negative safe integer. */
  readonly seed: number;
  /**
   * Parameters to begin with in place of those of the seed, such as `adoptParameters` makes: of the structure, types and shapes
   * of the network's own. Averages begin as copies of them, and the optimizer anew. They are kept; nobody may change them.
   */
  readonly init?: NoInfer<Params>;
  /**
   * Leave the state as it was where a step's loss or new state is not finite; its loss then reads as NaN. Every step
   * checks and chooses between two states for it, which costs passes over memory. False by default.
   */
  readonly guarded?: boolean;
  /**
   * What products are computed in: float32 by default. In `float16` parameters, optimizer and averages stay float32, norms, softmax and
   * losses too, and the loss is scaled as gradients allow; the state holds the scale. For devices whose products of float16 are
   * faster; one that has none refuses.
   */
  readonly precision?: Precision | undefined;
  /** Told how far the first step is, which takes from a fraction of a second to many, by the size of the network. */
  readonly onProgress?: ((progress: BeginProgress) => void) | undefined;
}

/** The keys from which everything random in a run follows. */
export function trainingKeys(seed: number): Readonly<Record<'init' | 'data' | 'draws', RandomKey>> {
  const root = RandomKey.fromSeed(seed);
  return { init: root.fold('init'), data: root.fold('data'), draws: root.fold('draws') };
}

type AnyTree = Tree<HostArray>;
/** Options whose trees are known at run time only. */
export type AnyTrainerOptions = TrainerOptions<AnyTree, unknown, AnyTree, AnyTree, References>;

/**
 * The options that have defaults, filled in.
 *
 * @throws {ArgumentError} when one is unknown, out of range, or does not go with another
 */
export function takeOptions(options: AnyTrainerOptions): {
  readonly accumulate: number;
  readonly guarded: boolean;
  readonly memory: number | undefined;
  readonly precision: Precision;
} {
  checkOptions<AnyTrainerOptions>('Trainer.create', options, {
    backend: true,
    network: true,
    objective: true,
    optimizer: true,
    ema: true,
    data: true,
    batchSize: true,
    seed: true,
    guarded: true,
    init: true,
    accumulate: true,
    memory: true,
    precision: true,
    onProgress: true,
  });
  const { batchSize, accumulate = 1, guarded = false, memory, precision = 'float32' } = options;
  for (const [name, value] of Object.entries({ batchSize, accumulate })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new ArgumentError(`Trainer: ${name} is a whole number from 1, got ${value}.`);
  }
  if (batchSize % accumulate !== 0) {
    throw new ArgumentError(
      `Trainer: a batch of ${batchSize} rows cannot be taken in ${accumulate} equal parts (accumulate).`,
    );
  }
  if (memory !== undefined && !(memory > 0 && memory < Infinity))
    throw new ArgumentError(`Trainer: memory is a number of bytes above 0, got ${describeValue(memory)}.`);
  if (!precisions.includes(precision)) {
    throw new ArgumentError(
      `Trainer: precision is ${precisions.join(' or ')}, got ${describeValue(precision)}.`,
    );
  }
  if (accumulate > 1 && precision === 'float16') {
    throw new ArgumentError(
      'Trainer: gradients are accumulated in float32 only: give accumulate or precision float16.',
    );
  }
  return { accumulate, guarded, memory, precision };
}

/**
 * Arrays of the structure and types of a network's parameters, whose values are nobody's. Where the network describes its
 * parameters none is drawn for it: those of a large one take seconds.
 */
export function exampleParameters(
  network: ParameterSource<Tree<HostArray>>,
  key: RandomKey,
): Tree<HostArray> {
  const { specs } = network as { readonly specs?: Tree<Partial<ParameterSpec>> };
  if (!isDescribed(specs)) return network.init(key);
  return treeMap(({ shape }: ParameterSpec): HostArray => hostZeros(shape), specs);
}

/** Whether a field of a network, which may be anything, is descriptions of parameters. */
function isDescribed(specs: Tree<Partial<ParameterSpec>>): specs is Tree<ParameterSpec> {
  const leaves: readonly (Partial<ParameterSpec> | null)[] = treeLeaves(specs);
  return (
    leaves.length > 0 &&
    leaves.every((leaf) => typeof leaf?.initial === 'function' && Array.isArray(leaf.shape))
  );
}

/** @throws {PytreeError | ShapeError} unless parameters to begin with are what the network makes, but for their values */
export function checkInit(given: Tree<HostArray>, own: Tree<HostArray>): void {
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
