/** Clipping by the global norm (Pascanu, Mikolov and Bengio, 2013), as in optax: exact when nothing is clipped. */
import {
  add,
  ArgumentError,
  div,
  greater,
  mul,
  sqrt,
  sum,
  treeLeaves,
  where,
  type Tensor,
  treeZipMap,
  type Tree,
} from '@meanflow/core';
import type { GradientTransform } from './gradient-transform.js';

/** √Σ g² over every element of every leaf: a scalar. */
export function globalNorm(tree: Tree<Tensor>): Tensor {
  const squares = treeLeaves<Tensor>(tree).map((leaf) => sum(mul(leaf, leaf)));
  return sqrt(squares.reduce((total, square) => add(total, square)));
}

/**
 * Scales all gradients by max/norm where their global norm exceeds `maxNorm`, and leaves them as they are otherwise.
 * Reports the norm before clipping as the metric `gradientNorm`.
 *
 * @throws {ArgumentError} when `maxNorm` is not positive
 */
export function clipByGlobalNorm(maxNorm: number): GradientTransform {
  if (!(maxNorm > 0))
    throw new ArgumentError(`clipByGlobalNorm: the largest norm is positive, got ${maxNorm}.`);
  return {
    init: () => undefined,
    scalars: () => undefined,
    update(gradients) {
      const norm = globalNorm(gradients);
      const factor = where(greater(norm, maxNorm), div(maxNorm, norm), 1);
      return {
        updates: treeZipMap('clipByGlobalNorm', (leaf: Tensor) => mul(leaf, factor), gradients),
        state: undefined,
        metrics: { gradientNorm: norm },
      };
    },
  };
}
