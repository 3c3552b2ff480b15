/** Stochastic gradient descent, with momentum as in PyTorch: b ← μ·b + g, p ← p − lr·b. */
import { add, ArgumentError, mul, treeZipMap, type Tensor, type Tree } from '@meanflow/core';
import { checkOptions } from '@meanflow/core/validation';
import { zeros } from './adam.js';
import type { GradientTransform } from './gradient-transform.js';
import { toSchedule, type ScheduleLike } from './schedules.js';

export interface SgdOptions {
  readonly learningRate: ScheduleLike;
  /** Momentum μ; 0 by default, and then there is no state. */
  readonly momentum?: number;
}

/** @throws {ArgumentError} when the momentum is not in [0, 1) */
export function sgd(options: SgdOptions): GradientTransform {
  checkOptions<SgdOptions>('sgd', options, { learningRate: true, momentum: true });
  const { momentum = 0 } = options;
  const learningRate = toSchedule(options.learningRate, 'sgd: learningRate');
  if (!(momentum >= 0 && momentum < 1))
    throw new ArgumentError(`sgd: momentum lies in [0, 1), got ${momentum}.`);
  return {
    learningRate,
    init: (params) => (momentum === 0 ? undefined : zeros(params)),
    scalars: (step, rateScale = 1) => ({ stepSize: -rateScale * learningRate(step) }),
    update<P extends Tree<Tensor>>(
      gradients: P,
      state: Tree<Tensor>,
      { scalars }: { scalars: Tree<Tensor> },
    ) {
      const { stepSize } = scalars as { stepSize: Tensor };
      const velocity =
        momentum === 0
          ? gradients
          : treeZipMap(
              'sgd',
              (gradient: Tensor, old: Tensor) => add(mul(old, momentum), gradient),
              gradients,
              state,
            );
      return {
        updates: treeZipMap('sgd', (leaf: Tensor) => mul(leaf, stepSize), velocity),
        state: momentum === 0 ? undefined : velocity,
      };
    },
  };
}
