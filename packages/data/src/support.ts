/**
 * Support: where a distribution has its mass, as far as that is known exactly. It is made of modes (the pieces that
 * a good sample must visit in equal shares) and tells for any point which of them holds it. The metrics for samples
 * off the support and for mode coverage read nothing else.
 */

/** The modes of a distribution, each of equal probability, in normalised coordinates. */
export interface Support {
  /** What counts as on the support, as a phrase: "within 3σ of the nearest centre". */
  readonly description: string;
  readonly modeCount: number;
  /**
   * The mode that holds a point.
   *
   * @param point one sample's features, normalised
   * @returns a mode from 0 to modeCount − 1, or −1 when the point is off the support
   */
  modeOf(point: ArrayLike<number>): number;
}

/** Gaussian noise has no edge: this many standard deviations away from where it is centred counts as off. */
export const SUPPORT_DEVIATIONS = 3;
