/**
 * What an objective begins with: the draws that all have in common, and the points of the path with what the network is shown of
 * their rows.
 */
import { ArgumentError, type Tensor } from '@meanflow/core';
import type { ParameterTreeOf, PathName } from '@meanflow/samplers';
import {
  drawDroppedConditions,
  shownConditions,
  type ConditionDrop,
  type RowInputs,
} from './condition-drop.js';
import { intervalsOf } from './interval-rows.js';
import { coupledNoise, type Coupling } from './coupling.js';
import { checkExpectedVelocity, expectedVelocity, type VelocityTarget } from './expected-velocity.js';
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
  coupling: Coupling = 'independent',
): Omit<VelocityDraws, 't'> {
  const { key, batch } = given;
  return {
    noise: coupledNoise(coupling, batch, drawNoise(key, batch)),
    ...drawDropped(key, batch, labelDrop),
    ...drawDroppedConditions(key, batch, conditionDrop),
    ...drawDropout(given),
  };
}

/** Points of the path, and what the network is given at them. */
export interface PathPoints {
  /** z_t, `[batch, ...features]`. */
  readonly z: Tensor;
  /** The conditional velocity there, ε − x on the linear path; or what is expected of it. */
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

/** How rows become points: what an objective's configuration says of it. */
export interface PathSettings {
  /** The linear one by default. */
  readonly path?: PathName | undefined;
  readonly coupling?: Coupling | undefined;
  readonly velocity?: VelocityTarget | undefined;
}

/**
 * The points that the draws of a step stand for.
 *
 * @throws {ArgumentError} when the network cannot have the path, the coupling or the velocity, or be without what is dropped
 */
export function pathPoints<Params extends ParameterTreeOf<Params>>(
  given: Omit<VelocityLossInputs<Params>, 'references'>,
  { path = 'linear', coupling, velocity }: PathSettings = {},
): PathPoints {
  const { network, batch, draws } = given;
  const { noise, t, dropped } = draws;
  const { r, rows } = intervalsOf(draws);
  if (coupling === 'optimal-transport') checkUnconditional("coupling: 'optimal-transport'", given);
  const { z, v: own } = pathPoint(network, batch.x, noise, t, path);
  let v = own;
  if (velocity === 'expected') {
    checkUnconditional("velocity: 'expected'", given);
    checkExpectedVelocity(network, coupling);
    v = expectedVelocity(batch.x, z, own, t, path);
  }
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

/** @throws {ArgumentError} when the network is told more of a row than its point and times */
function checkUnconditional<Params extends ParameterTreeOf<Params>>(
  setting: string,
  { network, batch }: Pick<VelocityLossInputs<Params>, 'network' | 'batch'>,
): void {
  const { classCount, conditions = {} } = network;
  if (classCount === undefined && Object.keys(conditions).length === 0 && batch.augment === undefined) return;
  throw new ArgumentError(
    `${setting} takes rows of a batch for one another, so the network must see points and times alone; leave it out, or train without classes and conditions.`,
  );
}
