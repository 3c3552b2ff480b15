/**
 * The exact average velocity of one-dimensional data N(μ, σ²), as a network without parameters. With
 * deviations s(t)² = (1 − t)² σ² + t², u(z, r, t) = (z − (1 − t) μ) (t + r − σ² (2 − t − r)) / (s(t) (s(t) +
 * s(r))) − μ, which has no singularity at r = t, where it is the instantaneous velocity.
 */
import { full, type Tensor } from '@meanflow/core';
import { perRow } from '@meanflow/samplers';
import type { VelocityNetwork } from '../src/index.js';

export const MEAN = 1.5;
export const VARIANCE = 0.25;

export const gaussian: VelocityNetwork<Record<never, never>> = {
  featureShape: [1],
  classCount: undefined,
  takesGuidance: false,
  hasVelocityHead: false,
  init: () => ({}),
  apply: (_, { z, t, h }) => {
    const [end, length] = [perRow(t, z), perRow(h, z)];
    const start = end.sub(length);
    const one = full(end.shape, 1);
    const deviation = (time: Tensor): Tensor =>
      one.sub(time).square().mul(VARIANCE).add(time.square()).sqrt();
    const slope = end.add(start).sub(one.mul(2).sub(end).sub(start).mul(VARIANCE));
    const product = deviation(end).mul(deviation(end).add(deviation(start)));
    return { u: z.sub(one.sub(end).mul(MEAN)).mul(slope).div(product).sub(MEAN) };
  },
};
