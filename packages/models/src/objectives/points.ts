/**
 * What an objective begins with: the draws that all have in common, and the points of the path with what the network is shown of
 * their rows.
 */
import type { Tensor } from '@meanflow/core';
import type { ParameterTreeOf, PathName } from '@meanflow/samplers';
import {
  drawDroppedConditions,
  shownConditions,
  type ConditionDrop,
  type RowInputs,
} from './condition-drop.js';
import { intervalsOf } from './interval-rows.js';
import type { LabelDrop } from './label-drop.js';
import {
  drawDropout,
  drawDropped,
  drawNoise,
  inTraining,
  labelsOf,
  pathPoint,
  type DifferentiatedRows,
  type Evaluation,
} from './shared.js';
import type { VelocityDrawInputs, VelocityDraws, VelocityLossInputs } from './velocity-objective.js';

/** What rows are shown without, at times. */
export interface Drops {
  readonly labelDrop?: LabelDrop | undefined;
  readonly conditionDrop?: ConditionDrop | undefined;
}

/** What every objective draws beside its times: noise, what rows are shown without, and what the network's dropout needs. */
export function commonDraws(
  given: VelocityDrawInputs,
  { labelDrop, conditionDrop }: Drops = {},
): Omit<VelocityDraws, 't'> {
  const { key, batch } = given;
  return {
    noise: drawNoise(key, batch),
    ...drawDropped(key, batch, labelDrop),
    ...drawDroppedConditions(key, batch, conditionDrop),
    ...drawDropout(given),
  };
}

/** Points of the path, and what the network is given at them. */
export interface PathPoints {
  /** z_t, `[batch, ...features]`. */
  readonly z: Tensor;
  /** The conditional velocity there, ε − x on the linear path. */
  readonly v: Tensor;
  readonly t: Tensor;
  /** The beginning of the interval; t where none is drawn. */
  readonly r: Tensor;
  /** The rows that have an interval, of which alone a derivative is needed, and the network on them. */
  readonly interval: DifferentiatedRows;
  /** Label and conditions as the network is shown them, without what was dropped. */
  readonly shown: RowInputs;
  /** The same with every label. */
  readonly asked: RowInputs;
  /** The network that is trained; `inTraining` is the same of another. */
  readonly evaluate: Evaluation;
}

/** The points that the draws of a step stand for. @throws {ArgumentError} when the network cannot have the path, or be without what is dropped */
export function pathPoints<Params extends ParameterTreeOf<Params>>(
  given: Omit<VelocityLossInputs<Params>, 'references'>,
  path: PathName = 'linear',
): PathPoints {
  const { network, batch, draws } = given;
  const { noise, t, dropped } = draws;
  const { r, rows } = intervalsOf(draws);
  const { z, v } = pathPoint(network, batch.x, noise, t, path);
  const labels = labelsOf(network, batch, dropped);
  const conditions = shownConditions(network, batch, draws);
  return {
    ...{ z, v, t, r },
    shown: { label: labels.shown, ...conditions },
    asked: { label: labels.original, ...conditions },
    evaluate: inTraining(given),
    interval: { ...rows, evaluate: inTraining(given, rows) },
  };
}
