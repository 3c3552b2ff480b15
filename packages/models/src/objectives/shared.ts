/**
 * Steps that several objectives take: the point of the path, the labels to use, a velocity together with its
 * derivative.
 */
import {
  ArgumentError,
  concat,
  expandDims,
  full,
  HostArray,
  jvp,
  mul,
  reshape,
  rowsOf,
  split,
  stopGradient,
  sub,
  where,
  type DrawInputs,
  type RandomKey,
  type RowRange,
  type Symbolic,
  type Tensor,
} from '@meanflow/core';
import {
  paths,
  perRow,
  velocityFromData,
  type ParameterTreeOf,
  type PathName,
  type VelocityInputs,
  type VelocityNetwork,
  type VelocityOutputs,
} from '@meanflow/samplers';
import * as z from 'zod';
import { wholeIntervals, type IntervalRows } from './interval-rows.js';
import { dropLabels, droppedFromRaw, type LabelDrop } from './label-drop.js';
import type { BatchShape, TrainingBatch, VelocityDraws, VelocityLossInputs } from './velocity-objective.js';

/** Standard normal noise of the data's shape. */
export function drawNoise(key: RandomKey, batch: BatchShape): HostArray<'float32'> {
  return key.fold('noise').normal(batch.x.shape);
}

/** The rows whose labels are dropped, where there are labels and a probability. */
export function drawDropped(
  key: RandomKey,
  batch: BatchShape,
  labelDrop: LabelDrop | undefined,
): Pick<VelocityDraws, 'dropped'> {
  if (labelDrop === undefined || labelDrop.probability === 0 || batch.label === undefined) return {};
  return { dropped: droppedFromRaw(labelDrop, key.fold('labelDrop').uniform([batch.x.shape[0]!])) };
}

/** What the network's dropout needs, where it has some. */
export function drawDropout({
  network,
  key,
  batch,
}: DrawInputs<Pick<VelocityNetwork, 'drawDropout'>, BatchShape>): Pick<VelocityDraws, 'dropout'> {
  const dropout = network.drawDropout?.(key.fold('dropout'), batch.x.shape[0]!);
  return dropout === undefined ? {} : { dropout };
}

/** The draws of some rows of the batch. Which of them have no interval is said of a whole batch only: a part has an r for each row. */
export function drawsOfRows(all: VelocityDraws, rows: RowRange): VelocityDraws {
  if (rows.from === 0 && rows.to === rows.of) return all;
  const { dropout, ...others } = all;
  const draws = others.r === undefined ? others : { ...others, r: wholeIntervals(others) };
  if (dropout === undefined) return rowsOf(draws, rows);
  return {
    ...rowsOf(draws, rows),
    dropout: dropout.map(({ channels, places }) => {
      // Two numbers for each row and channel, `[2, rows, channels, 1, 1]`.
      const halves = [0, 1].map((half) => {
        const ofHalf = channels.rows(half, half + 1);
        return rowsOf(ofHalf.reshape(ofHalf.shape.slice(1)), rows);
      });
      return {
        places,
        channels: HostArray.joinRows(halves).reshape([2, rows.to - rows.from, ...channels.shape.slice(2)]),
      };
    }),
  };
}

/** What `path` is in the configuration of an objective. */
export const pathName = z
  .enum(Object.keys(paths) as PathName[])
  .default('linear')
  .describe('The way from data to noise. Networks that predict data need the linear one.');

/**
 * The point z_t of a path and the conditional velocity v for a network, both `[batch, ...features]`.
 *
 * @throws {ArgumentError} when the path is not the linear one and the network predicts data, which is so only on that
 */
export function pathPoint(
  { noiseScale = 1, smallestTime }: Pick<VelocityNetwork, 'noiseScale' | 'smallestTime'>,
  x: Tensor,
  standardNoise: Tensor,
  t: Tensor,
  path: PathName,
): { readonly z: Tensor; readonly v: Tensor } {
  if (smallestTime !== undefined && path !== 'linear') {
    throw new ArgumentError(
      `path: the network predicts data, from which velocities follow on the linear path only; got "${path}".`,
    );
  }
  const noise = noiseScale === 1 ? standardNoise : mul(noiseScale, standardNoise);
  const z = paths[path].point(x, noise, t);
  const v =
    smallestTime === undefined ? paths[path].velocity(x, noise, t) : velocityFromData(z, x, t, smallestTime);
  return { z, v };
}

/** A network at its parameters. */
export type Evaluation = (inputs: VelocityInputs) => VelocityOutputs;

/** The rows that a derivative is taken of, and the network on them. */
export interface DifferentiatedRows extends IntervalRows {
  readonly evaluate: Evaluation;
}

/**
 * The network in a training step: each of its evaluations is told how the rows were augmented, and drops activations by the
 * same draws.
 *
 * @param rows on which it is evaluated; all by default
 */
export function inTraining<Params extends ParameterTreeOf<Params>>(
  {
    network,
    params,
    batch: { augment },
    draws: { dropout },
  }: Pick<VelocityLossInputs<Params>, 'network' | 'params' | 'batch' | 'draws'>,
  rows?: IntervalRows,
): Evaluation {
  const of = rows?.of ?? ((x: Tensor) => x);
  const masks = dropout?.map(({ channels, places }) => {
    // Two numbers for each row and channel, `[2, rows, channels, 1, 1]`.
    const halves = split(channels, [1, 1], 0).map((half) => of(reshape(half, channels.shape.slice(1))));
    return { places, channels: concat(halves.map((half) => expandDims(half, 0))) };
  });
  const extra = { ...(augment && { augment: of(augment) }), ...(masks && { dropout: masks }) };
  return (inputs) => network.apply(params, { ...inputs, ...extra });
}

/** Labels as the data has them and as the network is shown them; neither for a network without classes. */
export function labelsOf(
  network: Pick<VelocityNetwork, 'classCount'>,
  batch: Symbolic<TrainingBatch>,
  dropped: Tensor | undefined,
): { readonly original: Tensor | undefined; readonly shown: Tensor | undefined } {
  const { classCount } = network;
  if (classCount === undefined || batch.label === undefined) return { original: undefined, shown: undefined };
  return { original: batch.label, shown: dropLabels(batch.label, dropped, classCount) };
}

/** h = 0 for every row. */
export function noInterval(t: Tensor): Tensor {
  return full(t.shape, 0);
}

/** Two batches as one, `[2 · batch, …]`. */
export function twice(x: Tensor, second: Tensor = x): Tensor {
  return concat([x, second]);
}

/** `given` on the dropped rows, `otherwise` elsewhere; `[batch, ...features]`. */
export function onDropped(dropped: Tensor | undefined, given: Tensor, otherwise: Tensor): Tensor {
  return dropped === undefined ? otherwise : where(perRow(dropped, given), given, otherwise);
}

/**
 * u(z, r, t) and its total derivative du/dt along a velocity, which is the Jacobian–vector product with
 * tangents (velocity, 0, 1) for (z, r, t) (MeanFlow, eq. 8). Their primal is computed once.
 *
 * @param velocity of the rows that are differentiated
 * @param rows of which the derivative is taken; all by default
 * @returns `u` and `v` (where the network has a velocity head) to differentiate further, and `dudt` under
 *   stop-gradient, of those rows
 */
export function velocityWithDerivative(
  evaluate: Evaluation,
  at: { readonly z: Tensor; readonly r: Tensor; readonly t: Tensor },
  velocity: Tensor,
  conditions: Omit<VelocityInputs, 'z' | 't' | 'h'>,
  rows?: DifferentiatedRows,
): { readonly u: Tensor; readonly dudt: Tensor; readonly v: Tensor | undefined } {
  if (rows !== undefined && rows.count < at.t.shape[0]!) {
    const { z, r, t } = at;
    const { u, v } = evaluate({ z, t, h: sub(t, r), ...conditions });
    if (rows.count === 0) return { u, v, dudt: rows.of(u) };
    // Of the same rows of the same values: what is computed of the whole is not computed again (core's `shareRows`).
    const { dudt } = velocityWithDerivative(
      rows.evaluate,
      rows.ofTree(at),
      velocity,
      rows.ofTree(conditions),
    );
    return { u, v, dudt };
  }
  const [u, dudt, v] = jvp<[Tensor, Tensor, Tensor], Tensor, Tensor | undefined>(
    (z: Tensor, r: Tensor, t: Tensor): readonly [Tensor, Tensor | undefined] => {
      const out = evaluate({ z, t, h: sub(t, r), ...conditions });
      return [out.u, out.v];
    },
    [at.z, at.r, at.t],
    [velocity, 0, 1],
    { hasAux: true },
  );
  return { u, dudt: stopGradient(dudt), v };
}
