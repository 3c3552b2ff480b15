/**
 * What objectives for velocity networks have in common: batches of data with optional labels, one type for everything random,
 * and a loss that works for any velocity network.
 */
import type {
  DrawInputs,
  HostArray,
  LossAndMetrics,
  LossInputs,
  NoReferences,
  References,
  RowRange,
  Shape,
} from '@meanflow/core';
import type { DropoutDraw, ParameterTreeOf, VelocityNetwork } from '@meanflow/samplers';

/** Data to train on. */
export type TrainingBatch = {
  /** float32 `[batch, ...features]` */
  readonly x: HostArray<'float32'>;
  /** int32 `[batch]`; looked at where the network has classes. */
  readonly label?: HostArray<'int32'> | undefined;
  /** What the network declares, float32 `[batch, ...shape]` each; looked at where it declares some. */
  readonly conditions?: Readonly<Record<string, HostArray<'float32'>>> | undefined;
  /** Which rows have an optional condition, float32 `[batch]`, 1 or 0; by default every row has those that are given. */
  readonly present?: Readonly<Record<string, HostArray<'float32'>>> | undefined;
  /** How each row was augmented, float32 `[batch, augmentWidth]`; for networks that are told. */
  readonly augment?: HostArray<'float32'> | undefined;
};

/** Everything random in a loss. Each objective draws what it uses; times are 0 at data and 1 at noise. */
export type VelocityDraws = {
  /** ε, standard normal, float32 `[batch, ...features]`. */
  readonly noise: HostArray<'float32'>;
  /** float32 `[batch]` */
  readonly t: HostArray<'float32'>;
  /** r ≤ t, float32 `[rows]`, of the last rows of the batch; those before have r = t. */
  readonly r?: HostArray<'float32'>;
  /** Rows whose label is replaced by the null class, bool `[batch]`. */
  readonly dropped?: HostArray<'bool'>;
  /** Rows from which a condition is taken away, bool `[batch]`, by name. */
  readonly droppedConditions?: Readonly<Record<string, HostArray<'bool'>>>;
  /** Guidance scale as a condition, float32 `[batch]`. */
  readonly omega?: HostArray<'float32'>;
  /** Interval of guidance as a condition, float32 `[batch]` each. */
  readonly tMin?: HostArray<'float32'>;
  readonly tMax?: HostArray<'float32'>;
  /** What the network's dropout needs. */
  readonly dropout?: readonly DropoutDraw[];
};

/** A batch of which the shapes matter, and the samples where noise is paired with them. */
export type BatchShape = {
  readonly x: { readonly shape: Shape; readonly data?: ArrayLike<number> };
  readonly label?: { readonly shape: Shape } | undefined;
  readonly conditions?: Readonly<Record<string, { readonly shape: Shape }>> | undefined;
};

/** What an objective for velocity networks draws from. */
export type VelocityDrawInputs = DrawInputs<Pick<VelocityNetwork, 'drawDropout'>, BatchShape>;

/** What the loss of an objective for velocity networks is made of. */
export type VelocityLossInputs<
  Params extends ParameterTreeOf<Params>,
  Draws = VelocityDraws,
  Refs extends References = NoReferences,
> = LossInputs<VelocityNetwork<Params>, Params, TrainingBatch, Draws, Refs>;

/** What an objective for velocity networks does, at a step or from a step on. */
export interface VelocityStep<Draws, Refs extends References> {
  readonly references?: Refs;
  readonly draw: (given: VelocityDrawInputs) => Draws;
  /**
   * Its metrics are squared errors before any weighting, summed over a sample and averaged over the batch.
   *
   * @throws {ArgumentError} when the network lacks something that the objective needs, saying what to set
   */
  readonly loss: <Params extends ParameterTreeOf<Params>>(
    given: VelocityLossInputs<Params, Draws, Refs>,
  ) => LossAndMetrics;
}

/** An objective for velocity networks; fits the Objective contract for every one of them. */
export interface VelocityObjective<
  Config = unknown,
  Draws extends VelocityDraws = VelocityDraws,
  Refs extends References = NoReferences,
> extends VelocityStep<Draws, Refs> {
  readonly name: string;
  /** Plain JSON; the same configuration makes the same objective. */
  readonly config: Config;
  /** The draws of some rows of the batch: those of dropout are for channels of rows, and for places of all of them. */
  readonly rowsOf: (draws: Draws, rows: RowRange) => Draws;
  /** As of every objective. */
  readonly couplesRows?: boolean;
  readonly stages?: readonly ({ readonly from: number } & Partial<VelocityStep<Draws, Refs>>)[];
}

/**
 * An objective of which it is known at run time only what it draws beside {@link VelocityDraws} and which references it asks for:
 * its loss is given what its own `draw` has made. Functions are methods here, so that one for more draws is one for these.
 */
export interface AnyObjective {
  readonly references?: References;
  draw(given: VelocityDrawInputs): VelocityDraws;
  loss<Params extends ParameterTreeOf<Params>>(
    given: VelocityLossInputs<Params, VelocityDraws, References>,
  ): LossAndMetrics;
  rowsOf?(draws: VelocityDraws, rows: RowRange): VelocityDraws;
  readonly couplesRows?: boolean;
  readonly stages?: readonly (Pick<AnyObjective, 'references'> &
    Partial<Pick<AnyObjective, 'draw' | 'loss'>> & { readonly from: number })[];
}

/** An objective that was made from a configuration. */
export interface ConfiguredObjective extends AnyObjective {
  rowsOf(draws: VelocityDraws, rows: RowRange): VelocityDraws;
  readonly name: string;
  /** Plain JSON, as it was given. */
  readonly config: AnyObjectiveConfig;
}

/** The configuration of any objective, as plain JSON: what all have. */
export interface AnyObjectiveConfig {
  readonly kind: string;
}
