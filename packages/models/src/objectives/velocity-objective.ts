/**
 * What the objectives of this package have in common: batches of data with optional labels, one type for
 * everything random, and a loss that works for any velocity network; and an objective's entry in the registry, with everything
 * that commands and reports say of it.
 */
import type { DrawInputs, HostArray, LossAndMetrics, LossInputs, RowRange, Shape } from '@meanflow/core';
import type { DropoutDraw, IntervalSampler, ParameterTree, VelocityNetwork } from '@meanflow/samplers';
import type * as z from 'zod';
import type { AdaptiveWeight } from './adaptive-weight.js';

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
  /** float32 `[batch]`, r ≤ t. */
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

/** A batch of which only the shapes matter. */
export type BatchShape = {
  readonly x: { readonly shape: Shape };
  readonly label?: { readonly shape: Shape } | undefined;
  readonly conditions?: Readonly<Record<string, { readonly shape: Shape }>> | undefined;
};

/** What the loss of an objective for velocity networks is made of. */
export type VelocityLossInputs<Params extends ParameterTree> = LossInputs<
  VelocityNetwork<Params>,
  Params,
  TrainingBatch,
  VelocityDraws
>;

/** An objective for velocity networks; fits the Objective contract for every one of them. */
export interface VelocityObjective<Config = unknown> {
  readonly name: string;
  /** Plain JSON; the same configuration makes the same objective. */
  readonly config: Config;
  readonly draw: (given: DrawInputs<Pick<VelocityNetwork, 'drawDropout'>, BatchShape>) => VelocityDraws;
  /**
   * Its metrics are squared errors before any weighting, summed over a sample and averaged over the batch.
   *
   * @throws {ArgumentError} when the network lacks something that the objective needs, saying what to set
   */
  readonly loss: <Params extends ParameterTree>(given: VelocityLossInputs<Params>) => LossAndMetrics;
  /** The draws of some rows of the batch: those of dropout are for channels of rows, and for places of all of them. */
  readonly rowsOf: (draws: VelocityDraws, rows: RowRange) => VelocityDraws;
}

/** The configuration of any objective, as plain JSON: what all have. */
export interface AnyObjectiveConfig {
  readonly kind: string;
}

/** What recipes vary of every objective. */
export interface ObjectiveSettings {
  readonly intervals: IntervalSampler;
  readonly weight: AdaptiveWeight;
}

/** What an objective is, in the registry: a method by which networks are trained. */
export interface ObjectiveEntry<Config extends AnyObjectiveConfig = AnyObjectiveConfig> {
  /** The kind. */
  readonly name: string;
  readonly title: string;
  /** What it does, for a list. */
  readonly description: string;
  /** What it learns, in a sentence for readers of a comparison. */
  readonly learns: string;
  /** Where it was published. */
  readonly source: string;
  /** Of its curves and samples, as `#rrggbb`, on a light ground and on a dark one. */
  readonly colours: { readonly light: string; readonly dark: string };
  readonly schema: z.ZodObject;
  /**
   * How its samples are made: in few steps over whole intervals (`average-velocity`), or by a solver that integrates the velocity
   * and needs many.
   */
  readonly solver: 'average-velocity' | 'euler';
  /** @throws {ArgumentError} when a field of `config` is out of range */
  create(config: Config): VelocityObjective<AnyObjectiveConfig>;
  /** Its configuration within a recipe. */
  inRecipe(settings: ObjectiveSettings): Config;
  /** Whether a network that was trained so can be guided by itself without the class (classifier-free). */
  isClassifierFree(config: Config): boolean;
  /** Conditions that it trains without at times, so that a network takes them as optional ones. */
  optionalConditions(config: Config): readonly string[];
}
