/**
 * From a network to the velocity field that solvers follow: parameters and conditions bound, times broadcast
 * over the batch, classifier-free guidance applied; where it is asked for, the network's products in float16. Everything here is traced.
 */
import {
  autocast,
  broadcastTo,
  cast,
  concat,
  full,
  logicalAnd,
  lessEqual,
  split,
  sub,
  treeFlatten,
  where,
  type Precision,
  type Symbolic,
  type Tensor,
  type Tree,
} from '@meanflow/core';
import { droppedByGuidance, joinConditions, withoutConditions } from './conditions.js';
import { guidedVelocity } from './guidance.js';
import type { ParameterTreeOf, VelocityNetwork } from './velocity-network.js';

/**
 * An average-velocity field u(z, r, t) over the interval [r, t]; at r = t it is the instantaneous velocity
 * v(z, t). `z` is float32 `[batch, ...features]`, `r` and `t` are float32 scalars; the result has the shape
 * of `z`.
 */
export type VelocityField = (z: Tensor, r: Tensor, t: Tensor) => Tensor;

/** Classifier-free guidance; tensors are scalars or `[batch]`. */
export interface GuidanceTensors<Leaf = Tensor> {
  /** Guidance scale ω: 1 is none. */
  readonly scale: Leaf;
  /** Guidance applies to times from here … */
  readonly start: Leaf;
  /** … to here, both included. */
  readonly end: Leaf;
}

/** What a field is conditioned on: tensors, or what stands for them; scalars stand for the whole batch. */
export interface FieldConditions<Leaf = Tensor> {
  /** int32 `[batch]`. */
  readonly label?: Leaf | undefined;
  /** Those that the network declares, float32 `[batch, ...shape]`; and which rows have them, float32 `[batch]`. */
  readonly conditions?: Readonly<Record<string, Leaf>> | undefined;
  readonly present?: Readonly<Record<string, Leaf>> | undefined;
  readonly omega?: Leaf | undefined;
  readonly tMin?: Leaf | undefined;
  readonly tMax?: Leaf | undefined;
  /** Combines the velocity with and without what is dropped: the label or conditions. */
  readonly guidance?: GuidanceTensors<Leaf> | undefined;
}

export interface FieldOptions {
  /** What guidance drops, `label` or names of conditions: by default all that are given and that the network can be without. */
  readonly drop?: readonly string[] | undefined;
  /**
   * What the network's products are computed in; float32 by default. What it takes and gives, guidance and solvers stay float32; in
   * `float16` parameters may be float16.
   */
  readonly precision?: Precision | undefined;
  /** Told the rows of each call of the network, which is where evaluations are counted. */
  readonly onEvaluation?: (rows: number) => void;
}

/**
 * The field of a network at given parameters and conditions.
 *
 * With guidance, the conditional and the unconditional velocity are one evaluation of a batch twice as large.
 *
 * @throws {ArgumentError} when there is nothing given that guidance can drop
 */
export function velocityField<Params extends ParameterTreeOf<Params>>(
  network: VelocityNetwork<Params>,
  params: Symbolic<Params>,
  conditions: FieldConditions = {},
  { drop, precision = 'float32', onEvaluation }: FieldOptions = {},
): VelocityField {
  const { omega, tMin, tMax, guidance } = conditions;
  const isHalf = precision === 'float16';
  const exact = isHalf ? widened(params) : params;
  const evaluate = (z: Tensor, r: Tensor, t: Tensor, given: FieldConditions): Tensor => {
    const batch = z.shape[0]!;
    onEvaluation?.(batch);
    const rows = (x: Tensor | undefined) => (x === undefined ? undefined : overRows(x, batch));
    // Subtracting a time from itself is zero, and saying so lets everything that depends on it be folded away.
    const h = r === t ? full([batch], 0) : overRows(sub(t, r), batch);
    const inputs = {
      z,
      t: overRows(t, batch),
      h,
      label: given.label,
      conditions: given.conditions,
      present: given.present,
      omega: rows(omega),
      tMin: rows(tMin),
      tMax: rows(tMax),
    };
    const velocity = () => network.apply(exact, inputs).u;
    return isHalf ? autocast(velocity)() : velocity();
  };
  if (guidance === undefined) return (z, r, t) => evaluate(z, r, t, conditions);
  const dropped = droppedByGuidance(network, conditions, drop);
  return (z, r, t) => {
    const batch = z.shape[0]!;
    const both = evaluate(concat([z, z]), r, t, {
      label: twiceLabel(network, conditions.label, dropped),
      ...joinConditions(conditions, withoutConditions(conditions, dropped)),
    });
    const [conditional, unconditional] = split(both, [batch, batch], 0);
    const inside = logicalAnd(lessEqual(guidance.start, t), lessEqual(t, guidance.end));
    const scale = where(inside, guidance.scale, 1);
    return guidedVelocity(conditional!, unconditional!, scale);
  };
}

/** Parameters as a network has them: one of float16 that is rounded for a product again is what it was. */
function widened<Params extends ParameterTreeOf<Params>>(params: Symbolic<Params>): Symbolic<Params> {
  const { leaves, structure } = treeFlatten<Tensor>(params as Tree<Tensor>);
  return structure.unflatten<Tensor, Symbolic<Params>>(
    leaves.map((leaf) => (leaf.dtype === 'float16' ? cast(leaf, 'float32') : leaf)),
  );
}

/** Labels, and then no class or the labels again. */
function twiceLabel(
  { classCount }: Pick<VelocityNetwork, 'classCount'>,
  label: Tensor | undefined,
  dropped: readonly string[],
): Tensor | undefined {
  if (label === undefined || classCount === undefined) return label;
  return concat([label, dropped.includes('label') ? full(label.shape, classCount, 'int32') : label]);
}

/**
 * One number, or one number per row, as one number per row; repeated for a batch that holds its rows twice.
 */
function overRows(x: Tensor, batch: number): Tensor {
  if (x.rank === 0) return broadcastTo(x, [batch]);
  return x.shape[0] === batch ? x : concat(Array.from({ length: batch / x.shape[0]! }, () => x));
}
