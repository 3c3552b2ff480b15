/**
 * Adam (Kingma and Ba, 2015) and AdamW (Loshchilov and Hutter, 2019, as in PyTorch and optax): weight decay is
 * decoupled, p ← p − lr·λ·p − lr·m̂ / (√v̂ + ε). The state keeps the moments as plain discounted sums (see
 * `adamUpdate`), so that a step costs as few passes over memory as it can: m = (1 − β₁)·mean, v = (1 − β₂)·variance.
 */
import {
  add,
  adamUpdate,
  ArgumentError,
  div,
  hostZeros,
  mul,
  sqrt,
  sub,
  treeFlatten,
  treeMap,
  treeZip,
  type HostArray,
  type Tensor,
  type Tree,
} from '@meanflow/core';
import { checkOptions, type OptionNames } from '@meanflow/core/validation';
import type { GradientTransform } from './gradient-transform.js';
import { toSchedule, type ScheduleLike } from './schedules.js';

export interface AdamOptions {
  readonly learningRate: ScheduleLike;
  /** Decay of the first moment; 0.9 by default. */
  readonly beta1?: number;
  /** Decay of the second moment; 0.999 by default. MeanFlow uses 0.95. */
  readonly beta2?: number;
  /** Added to the root of the second moment; 1e-8 by default. */
  readonly epsilon?: number;
  /**
   * Look a step ahead (Dozat, "Incorporating Nesterov Momentum into Adam", 2016), as optax does beside Muon: the step takes
   * β₁·m/(1 − β₁ᵏ⁺¹) + (1 − β₁)·g/(1 − β₁ᵏ) for m̂. False by default.
   */
  readonly nesterov?: boolean;
}

export interface AdamWOptions extends AdamOptions {
  /** Decoupled weight decay λ; 0.01 by default. MeanFlow and improved MeanFlow use 0. */
  readonly weightDecay?: number;
}

type AdamState<L> = { readonly mean: Tree<L>; readonly variance: Tree<L> };
type AdamScalars<L> = {
  readonly stepSize: L;
  readonly epsilon: L;
  readonly decay?: L;
  /** What the gradient itself is multiplied by, with Nesterov momentum. */
  readonly gradientStep?: L;
};

const adamOptions: OptionNames<AdamOptions> = {
  learningRate: true,
  beta1: true,
  beta2: true,
  epsilon: true,
  nesterov: true,
};

/**
 * Adam without weight decay.
 *
 * @throws {ArgumentError} when a constant is out of range, or there is an option that does not exist
 */
export function adam(options: AdamOptions): GradientTransform {
  checkOptions<AdamOptions>('adam', options, adamOptions);
  return adamW({ ...options, weightDecay: 0 });
}

/**
 * AdamW.
 *
 * @throws {ArgumentError} when a constant is out of range, or there is an option that does not exist
 */
export function adamW(options: AdamWOptions): GradientTransform {
  checkOptions<AdamWOptions>('adamW', options, { ...adamOptions, weightDecay: true });
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01, nesterov = false } = options;
  const learningRate = toSchedule(options?.learningRate, 'adam: learningRate');
  checkConstants({ beta1, beta2, epsilon, weightDecay });
  return {
    learningRate,
    init: (params): AdamState<HostArray> => ({ mean: zeros(params), variance: zeros(params) }),
    scalars(step, rateScale = 1): AdamScalars<number> {
      const rate = rateScale * learningRate(step);
      const corrected = (1 - beta1) / (1 - beta1 ** (step + 1));
      const meanFactor = nesterov ? (beta1 * (1 - beta1)) / (1 - beta1 ** (step + 2)) : corrected;
      const root = Math.sqrt((1 - beta2) / (1 - beta2 ** (step + 1)));
      return {
        stepSize: (-rate * meanFactor) / root,
        epsilon: epsilon / root,
        ...(nesterov && { gradientStep: (-rate * corrected) / root }),
        ...(weightDecay !== 0 && { decay: rate * weightDecay }),
      };
    },
    update(gradients, state, context) {
      const { mean, variance } = state as AdamState<Tensor>;
      const {
        stepSize,
        epsilon: scaledEpsilon,
        decay,
        gradientStep,
      } = context.scalars as AdamScalars<Tensor>;
      const { structure } = treeFlatten<Tensor>(gradients);
      const results = treeZip('adam', gradients, mean, variance, context.params).map(({ leaves }) => {
        const [gradient, leafMean, leafVariance, param] = leaves;
        const operands = {
          gradient,
          mean: leafMean,
          variance: leafVariance,
          stepSize,
          epsilon: scaledEpsilon,
        };
        const result = adamUpdate(operands, { beta1, beta2 });
        const ahead =
          gradientStep && div(mul(gradient, gradientStep), add(sqrt(result.variance), scaledEpsilon));
        const update = ahead === undefined ? result.update : add(result.update, ahead);
        return { ...result, update: decay === undefined ? update : sub(update, mul(param, decay)) };
      });
      return {
        updates: structure.unflatten(results.map(({ update }) => update)) as typeof gradients,
        state: {
          mean: structure.unflatten(results.map((result) => result.mean)),
          variance: structure.unflatten(results.map((result) => result.variance)),
        },
      };
    },
  };
}

/** Zeros of the parameters' shapes. */
export function zeros(params: Tree<HostArray>): Tree<HostArray> {
  return treeMap((leaf: HostArray) => hostZeros(leaf.shape), params);
}

function checkConstants(constants: Record<'beta1' | 'beta2' | 'epsilon' | 'weightDecay', number>): void {
  for (const name of ['beta1', 'beta2'] as const) {
    if (!(constants[name] >= 0 && constants[name] < 1)) {
      throw new ArgumentError(`adam: ${name} lies in [0, 1), got ${constants[name]}.`);
    }
  }
  for (const name of ['epsilon', 'weightDecay'] as const) {
    if (!(constants[name] >= 0 && constants[name] < Infinity)) {
      throw new ArgumentError(`adam: ${name} is a finite number from 0, got ${constants[name]}.`);
    }
  }
}
