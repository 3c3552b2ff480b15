/**
 * Muon (Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024): the momentum of a matrix is made
 * nearly orthogonal by five Newton–Schulz iterations before the step, so that all its directions move alike. As in optax:
 * Nesterov momentum with bias correction, and steps scaled by √max(1, outputs / inputs) for kernels `[inputs, outputs]`. It
 * is for matrices only; `partition` gives the other parameters to Adam, as pixel MeanFlow's training does.
 */
import {
  add,
  ArgumentError,
  div,
  matmul,
  mul,
  sqrt,
  sum,
  transpose,
  treePaths,
  treeZipMap,
  type HostArray,
  type Tensor,
  type Tree,
} from '@meanflow/core';
import { leading, checkOptions } from '@meanflow/core/validation';
import { zeros } from './adam.js';
import type { GradientTransform } from './gradient-transform.js';
import { toSchedule, type ScheduleLike } from './schedules.js';

export interface MuonOptions {
  readonly learningRate: ScheduleLike;
  /** Decay of the momentum; 0.95 by default. */
  readonly beta?: number;
}

/** The host's scalars of a step. */
type MuonScalars<L> = { readonly rate: L; readonly momentum: L; readonly gradient: L };

/** Of f(X) = c₀ X + (c₁ A + c₂ A²) X with A = X Xᵀ, which draws all singular values near 1. */
const COEFFICIENTS = [3.4445, -4.775, 2.0315] as const;
const ITERATIONS = 5;
const EPSILON = 1e-8;

/**
 * Muon.
 *
 * @throws {ArgumentError} when `beta` is out of range; from the transform, when a parameter is no matrix
 */
export function muon(options: MuonOptions): GradientTransform {
  checkOptions<MuonOptions>('muon', options, { learningRate: true, beta: true });
  const { beta = 0.95 } = options;
  const learningRate = toSchedule(options.learningRate, 'muon: learningRate');
  if (!(beta >= 0 && beta < 1)) throw new ArgumentError(`muon: beta lies in [0, 1), got ${beta}.`);
  return {
    learningRate,
    init: (params: Tree<HostArray>) => {
      for (const { path, leaf } of treePaths<HostArray>(params)) {
        if (leaf.shape.length === 2) continue;
        throw new ArgumentError(
          `muon: "${path}" is ${leaf}, not a matrix; give it to another optimizer by partition().`,
        );
      }
      return zeros(params);
    },
    // The momentum is kept as a plain discounted sum Σ βⁱ g; the published average is (1 − β) times that.
    scalars: (step, rateScale = 1): MuonScalars<number> => ({
      rate: rateScale * learningRate(step),
      momentum: (beta * (1 - beta)) / (1 - beta ** (step + 2)),
      gradient: (1 - beta) / (1 - beta ** (step + 1)),
    }),
    update<P extends Tree<Tensor>>(
      gradients: P,
      state: Tree<Tensor>,
      context: { readonly scalars: Tree<Tensor> },
    ) {
      const { rate, momentum, gradient } = context.scalars as MuonScalars<Tensor>;
      const next = treeZipMap('muon', (g: Tensor, old: Tensor) => add(mul(old, beta), g), gradients, state);
      const updates = treeZipMap(
        'muon',
        (g: Tensor, sum: Tensor) => {
          const [inputs, outputs] = leading(g.shape, 2);
          const direction = orthogonalised(add(mul(sum, momentum), mul(g, gradient)));
          return mul(direction, mul(rate, -Math.sqrt(Math.max(1, outputs / inputs))));
        },
        gradients,
        next,
      );
      return { updates, state: next };
    },
  };
}

/** A matrix with the singular vectors of `x` and singular values near 1. */
function orthogonalised(x: Tensor): Tensor {
  // The products are smaller on the side that has fewer rows.
  const [rows, columns] = leading(x.shape, 2);
  const start = rows > columns ? transpose(x) : x;
  const norm = sqrt(sum(mul(start, start)));
  let y = div(start, add(norm, EPSILON));
  for (let i = 0; i < ITERATIONS; i++) {
    const a = matmul(y, transpose(y));
    const b = add(mul(a, COEFFICIENTS[1]), mul(matmul(a, a), COEFFICIENTS[2]));
    y = add(mul(y, COEFFICIENTS[0]), matmul(b, y));
  }
  return rows > columns ? transpose(y) : y;
}
