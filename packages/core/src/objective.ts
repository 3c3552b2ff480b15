/**
 * The Objective contract. All randomness (t, r, noise, label drop, guidance scale, interval) and all that depends on the
 * step is made on the host by `draw`; `loss` is a pure traced function of parameters, batch, draws and the further
 * parameter trees that the objective asks for. That split is what lets an objective be checked against published code to
 * the last digit, what makes a resumed run continue exactly, and why one compiled step serves many steps.
 */
import type { Symbolic } from './network.js';
import type { RandomKey } from './random.js';
import type { RowRange } from './rows.js';
import type { Tensor } from './tensor.js';

/**
 * An exponential moving average of the parameters that are trained, from the first step on. At a step it is that of the
 * updates made before. It is part of the run's state, and the run's own average where that is the same one.
 */
export interface AverageReference {
  /** The decay per step, in [0, 1). */
  readonly average: number;
  /** Begin with smaller decays, as the averages of a run do; true by default. */
  readonly rampUp?: boolean;
}

/** A network that is not trained, with its parameters: a teacher, a network of features. */
export interface FrozenReference<Net, Params> {
  readonly frozen: Net;
  readonly params: Params;
}

/** A parameter tree that a loss needs beside the one that is trained. */
export type Reference = AverageReference | FrozenReference<unknown, unknown>;

/** What an objective asks for, by the names that its loss uses. */
export type References = Readonly<Record<string, Reference | undefined>>;

/** Nothing beside the parameters that are trained. */
export type NoReferences = Readonly<Record<never, never>>;

/** A network with parameters for it, tensors, as a loss is given them; no gradient goes through these parameters. */
export interface ReferenceNetwork<Net, Params> {
  readonly network: Net;
  readonly params: Params;
}

type ReferenceInput<R, Net, Params> =
  R extends FrozenReference<infer FrozenNet, infer FrozenParams>
    ? ReferenceNetwork<FrozenNet, Symbolic<FrozenParams>>
    : R extends AverageReference
      ? ReferenceNetwork<Net, Symbolic<Params>>
      : R;

/** The references as a loss is given them, by name: an average is for the network that is trained. */
export type ReferenceInputs<Refs extends References, Net, Params> = {
  readonly [Name in keyof Refs]: ReferenceInput<Refs[Name], Net, Params>;
};

/** What `draw` is given. */
export interface DrawInputs<Net, Batch> {
  readonly network: Net;
  /** The step's own key. */
  readonly key: RandomKey;
  /** The batch, of which the draws may depend on the shapes. */
  readonly batch: Batch;
  /** Updates made before, from 0. */
  readonly step: number;
}

/** What `loss` is given: trees of tensors. */
export interface LossInputs<Net, Params, Batch, Draws, Refs extends References = NoReferences> {
  readonly network: Net;
  readonly params: Symbolic<Params>;
  readonly batch: Symbolic<Batch>;
  readonly draws: Symbolic<Draws>;
  readonly references: ReferenceInputs<Refs, Net, Params>;
}

/** A loss, and scalars to watch beside it. All float32 scalars. */
export interface LossAndMetrics {
  /** To be minimised. */
  readonly loss: Tensor;
  /**
   * `squaredError` and the like: errors before any weighting, averaged over the batch. A weighted loss may hardly change
   * however well the network does: these are what to look at.
   */
  readonly metrics: Readonly<Record<string, Tensor>>;
}

/** What an objective does from a step on, in place of what it did before; what is left out stays. */
export interface ObjectiveStage<Net, Params, Batch, Draws, Refs extends References = NoReferences> {
  /** Updates made before the stage's first: a whole number above 0, larger than that of the stage before. */
  readonly from: number;
  readonly references?: Refs;
  readonly draw?: Objective<Net, Params, Batch, Draws, Refs>['draw'];
  readonly loss?: Objective<Net, Params, Batch, Draws, Refs>['loss'];
}

/**
 * What a network is trained for.
 *
 * The functions are properties, so that an objective for other parameters, batches or networks is a compile error: methods
 * would be compared loosely.
 */
export interface Objective<Net, Params, Batch, Draws, Refs extends References = NoReferences> {
  /** The name by which it is chosen, such as `meanflow`. */
  readonly name: string;
  readonly references?: Refs;
  /** Everything random that `loss` needs for a batch, and everything that depends on the step: such scalars have shape []. */
  readonly draw: (given: DrawInputs<Net, Batch>) => Draws;
  readonly loss: (given: LossInputs<Net, Params, Batch, Draws, Refs>) => LossAndMetrics;
  /**
   * The draws of some rows of the batch, for who shares a batch out. By default every array has the batch's rows along its first
   * axis, and scalars are for all.
   */
  readonly rowsOf?: (draws: Draws, rows: RowRange) => Draws;
  /**
   * Whether a row's part of the loss depends on other rows. By default it does not: the loss of a batch is the mean of those of
   * its rows. One that does cannot be shared out.
   */
  readonly couplesRows?: boolean;
  /** Other losses from given steps on, in the order of the steps; each is a step program of its own. */
  readonly stages?: readonly ObjectiveStage<Net, Params, Batch, Draws, Refs>[];
}
