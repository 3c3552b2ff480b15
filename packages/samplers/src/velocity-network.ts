/**
 * What samplers and objectives ask of a network: the average velocity u over an interval ending at t and of
 * length h = t − r. At h = 0 it is the instantaneous velocity, so one network serves flow matching, MeanFlow
 * and improved MeanFlow alike.
 */
import type {
  ConditionSpecs,
  HostArray,
  Network,
  RandomKey,
  Shape,
  Symbolic,
  Tensor,
  Tree,
  TreeOf,
} from '@meanflow/core';

/** Inputs of a velocity network. Tensors, while tracing. */
export interface VelocityInputs {
  /** Point of the path, float32 `[batch, ...features]`. */
  readonly z: Tensor;
  /** Time, float32 `[batch]`; 0 is data, 1 is noise. */
  readonly t: Tensor;
  /** Length of the interval, h = t − r, float32 `[batch]`. */
  readonly h: Tensor;
  /** Class, int32 `[batch]`, from 0; `classCount` is the null class. The null class by default. */
  readonly label?: Tensor | undefined;
  /** What the network declares as `conditions`, float32 `[batch, ...shape]` each; one that is not given no row has. */
  readonly conditions?: Readonly<Record<string, Tensor>> | undefined;
  /** float32 `[batch]` for optional conditions, 1 where the row has it and 0 where not; 1 where it is given by default. */
  readonly present?: Readonly<Record<string, Tensor>> | undefined;
  /** Guidance scale ω, float32 `[batch]`; 1 (no guidance) by default. */
  readonly omega?: Tensor | undefined;
  /** Time above which guidance applies, float32 `[batch]`; 0 by default. */
  readonly tMin?: Tensor | undefined;
  /** Time below which guidance applies, float32 `[batch]`; 1 by default. */
  readonly tMax?: Tensor | undefined;
  /**
   * How the row's data was augmented, for networks that are told (Karras et al., 2022, appendix F.2), float32 `[batch,
   * augmentWidth]`; 0 is not at all, which is the default.
   */
  readonly augment?: Tensor | undefined;
  /** The numbers behind the masks of dropout, from `drawDropout`; nothing is dropped by default. */
  readonly dropout?: Symbolic<readonly DropoutDraw[]> | undefined;
}

/** Random integers from which a layer expands the mask of dropout, float32. */
export type DropoutDraw = {
  /** Two for each row and channel, `[2, rows, channels, 1, 1]`. */
  readonly channels: HostArray<'float32'>;
  /** Two for each place, `[2, height, width]`. */
  readonly places: HostArray<'float32'>;
};

/** Outputs of a velocity network. */
export interface VelocityOutputs {
  /** Average velocity over [t − h, t], float32 `[batch, ...features]`. */
  readonly u: Tensor;
  /** Instantaneous velocity at t from an auxiliary head, where the network has one. */
  readonly v?: Tensor;
}

/** What parameters are to be, as in `Params extends ParameterTreeOf<Params>`: a tree of arrays, of an interface or an object's type. */
export type ParameterTreeOf<Params> = TreeOf<Params, HostArray>;

/** Parameters of any network. */
export type ParameterTree = { readonly [name: string]: Tree<HostArray> };

/** A network that predicts velocities. */
export interface VelocityNetwork<Params extends ParameterTreeOf<Params> = ParameterTree> extends Network<
  Params,
  VelocityInputs,
  VelocityOutputs
> {
  /** Shape of one sample, without the batch axis. */
  readonly featureShape: Shape;
  /**
   * Number of classes, which is also the label of the null class; undefined for a network without classes.
   */
  readonly classCount: number | undefined;
  /** Conditions beside the label, by name; absent for a network without. `rowConditions` reads them. */
  readonly conditions?: ConditionSpecs | undefined;
  /** Whether it takes ω, tMin and tMax as conditions. */
  readonly takesGuidance: boolean;
  /** Whether it returns `v` beside `u`. */
  readonly hasVelocityHead: boolean;
  /** Standard deviation of z at t = 1; 1 by default. Noise is scaled by it in training and before sampling. */
  readonly noiseScale?: number;
  /**
   * For networks that predict data x: the smallest time by which they divide, as in u = (z − x) / t. The velocity that
   * they are trained on is limited in the same way. Undefined for networks that predict velocities.
   */
  readonly smallestTime?: number;
  /** What dropout needs for one batch, a draw for each place where it acts; absent for networks without. */
  readonly drawDropout?: (key: RandomKey, rows: number) => readonly DropoutDraw[];
}
