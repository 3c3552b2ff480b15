/**
 * How far results may be from published ones: every tolerance of the parity check that is a share of a tensor's largest
 * element or an absolute error. Published results are float32, and so is what most backends compute; the JSON beside the
 * tensors states how far float32 is from float64 there (at most 1.6e-6 of the largest element for outputs and derivatives of
 * the transformers, 1.2e-6 for gradients). The tolerances are several times that.
 */

/** The largest error allowed is the sum of these. */
export interface Tolerance {
  /** Absolute. */
  readonly absolute?: number;
  /** Relative to the largest element of the published tensor. */
  readonly relative?: number;
  /** In multiples of the stated float32 floor. */
  readonly floors?: number;
}

export const tolerances = {
  /** Computed on the host in float64 and rounded once. */
  host: { floors: 8, relative: 4 * 2 ** -24 },
  /** Outputs of networks, their derivatives, samples, and every term of an objective. */
  output: { relative: 1e-5 },
  /** Gradients in parameters, and their norms. */
  gradient: { relative: 2e-5 },
  /** Those of the U-Net, whose float32 gradients are up to 6.2e-6 of the largest element away from float64. */
  unetGradient: { relative: 5e-5 },
  /**
   * Parameters after five updates and their averages. Adam divides gradients by their size, so that rounding shows where
   * they are small, and more so for MeanFlow, whose rates do not begin at zero.
   */
  trainedMeanFlow: { absolute: 5e-5 },
  trainedImprovedMeanFlow: { absolute: 2e-6 },
  /** Learning rates, computed in float32 where they were published. */
  learningRate: { relative: 4 * 2 ** -24 },
} as const satisfies Readonly<Record<string, Tolerance>>;

/** Of norms, relative: published ones were added up in float32. */
export const NORM_ROUNDING = 16 * 2 ** -24;

/** The largest error allowed for a tensor. */
export function allowance(
  { absolute = 0, relative = 0, floors = 0 }: Tolerance,
  largest: number,
  floor: number | undefined,
): number {
  return absolute + relative * largest + floors * (floor ?? 0);
}
