/** What the tests of this package share. */
import { HostArray, full, type ConditionSpecs, type Symbolic, type Tensor } from '@meanflow/core';
import { perRow, type ParameterTree, type VelocityInputs, type VelocityNetwork } from '../src/index.js';

export function floats(values: readonly number[]): HostArray<'float32'> {
  return new HostArray('float32', [values.length], Float32Array.from(values));
}

/** The largest absolute difference. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i])));
}

/** A "network" that is a formula. */
export function formula<Params extends ParameterTree>(
  featureShape: readonly number[],
  params: Params,
  u: (params: Symbolic<Params>, inputs: VelocityInputs) => Tensor,
  options: {
    readonly classCount?: number;
    readonly takesGuidance?: boolean;
    readonly conditions?: ConditionSpecs;
  } = {},
): VelocityNetwork<Params> {
  return {
    featureShape,
    classCount: options.classCount,
    conditions: options.conditions,
    takesGuidance: options.takesGuidance ?? false,
    hasVelocityHead: false,
    init: () => params,
    apply: (symbolic, inputs) => ({ u: u(symbolic, inputs) }),
  };
}

/**
 * The exact average velocity of one-dimensional data N(μ, σ²) at every (z, t − h, t), where μ and σ² are
 * parameters.
 */
export const gaussian = formula(
  [1],
  { mean: floats([1.5]), variance: floats([0.25]) },
  ({ mean, variance }, { z, t, h }) => {
    const column = (x: Tensor) => perRow(x, z);
    const [end, length] = [column(t), column(h)];
    const start = end.sub(length);
    const deviation = (time: Tensor): Tensor =>
      full(time.shape, 1).sub(time).square().mul(variance).add(time.square()).sqrt();
    const keep = full(end.shape, 1).sub(end);
    const slope = end.add(start).sub(variance.mul(full(end.shape, 2).sub(end).sub(start)));
    const product = deviation(end).mul(deviation(end).add(deviation(start)));
    return z.sub(keep.mul(mean)).mul(slope).div(product).sub(mean);
  },
);
