/**
 * From a network to the velocity field that solvers follow: parameters and conditions bound, times broadcast
 * over the batch, classifier-free guidance applied. Everything here is traced.
 */
import {
  ArgumentError,
  broadcastTo,
  concat,
  full,
  logicalAnd,
  lessEqual,
  split,
  sub,
  where,
  type Symbolic,
  type Tensor,
} from '@meanflow/core';
import { guidedVelocity } from './guidance.js';
import type { ParameterTree, VelocityInputs, VelocityNetwork } from './velocity-network.js';

/**
 * An average-velocity field u(z, r, t) over the interval [r, t]; at r = t it is the instantaneous velocity
 * v(z, t). `z` is float32 `[batch, ...features]`, `r` and `t` are float32 scalars; the result has the shape
 * of `z`.
 */
export type VelocityField = (z: Tensor, r: Tensor, t: Tensor) => Tensor;

/** Classifier-free guidance as tensors; scalars or `[batch]`. */
export interface GuidanceTensors {
  /** Guidance scale ω: 1 is none. */
  readonly scale: Tensor;
  /** Guidance applies to times from here … */
  readonly start: Tensor;
  /** … to here, both included. */
  readonly end: Tensor;
}

/** What a field is conditioned on; scalars stand for the whole batch. */
export interface FieldConditions {
  /** int32 `[batch]`. */
  readonly label?: Tensor | undefined;
  readonly omega?: Tensor | undefined;
  readonly tMin?: Tensor | undefined;
  readonly tMax?: Tensor | undefined;
  /** Combines the conditional and the unconditional velocity; needs `label`. */
  readonly guidance?: GuidanceTensors | undefined;
}

/**
 * The field of a network at given parameters and conditions.
 *
 * With guidance, the conditional and the unconditional velocity are one evaluation of a batch twice as large.
 *
 * @param onEvaluation told the rows of each call of the network, which is where evaluations are counted
 * @throws {ArgumentError} when guidance is asked of a network without classes, or without labels
 */
export function velocityField<Params extends ParameterTree>(
  network: VelocityNetwork<Params>,
  params: Symbolic<Params>,
  conditions: FieldConditions = {},
  onEvaluation?: (rows: number) => void,
): VelocityField {
  const { label, omega, tMin, tMax, guidance } = conditions;
  const evaluate = (z: Tensor, r: Tensor, t: Tensor, given: VelocityInputs['label']): Tensor => {
    const batch = z.shape[0];
    onEvaluation?.(batch);
    const rows = (x: Tensor | undefined) => (x === undefined ? undefined : overRows(x, batch));
    // Subtracting a time from itself is zero, and saying so lets everything that depends on it be folded away.
    const h = r === t ? full([batch], 0) : overRows(sub(t, r), batch);
    return network.apply(params, {
      z,
      t: overRows(t, batch),
      h,
      label: given,
      omega: rows(omega),
      tMin: rows(tMin),
      tMax: rows(tMax),
    }).u;
  };
  if (guidance === undefined) return (z, r, t) => evaluate(z, r, t, label);
  const { classCount } = network;
  if (classCount === undefined || label === undefined) {
    throw new ArgumentError(
      'Classifier-free guidance combines a class with no class: it needs a network with classes, and labels.',
    );
  }
  return (z, r, t) => {
    const batch = z.shape[0];
    const nobody = full([batch], classCount, 'int32');
    const both = evaluate(concat([z, z]), r, t, concat([label, nobody]));
    const [conditional, unconditional] = split(both, [batch, batch], 0);
    const inside = logicalAnd(lessEqual(guidance.start, t), lessEqual(t, guidance.end));
    const scale = where(inside, guidance.scale, 1);
    return guidedVelocity(conditional, unconditional, scale);
  };
}

/**
 * One number, or one number per row, as one number per row; repeated for a batch that holds its rows twice.
 */
function overRows(x: Tensor, batch: number): Tensor {
  if (x.rank === 0) return broadcastTo(x, [batch]);
  return x.shape[0] === batch ? x : concat(Array.from({ length: batch / x.shape[0] }, () => x));
}
