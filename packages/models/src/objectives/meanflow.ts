/**
 * MeanFlow (Geng et al., "Mean Flows for One-step Generative Modeling", arXiv 2505.13447): regress the
 * average velocity u on v − (t − r) du/dt, the right-hand side of the MeanFlow identity, under stop-gradient
 * (eqs. 9 to 11). Classifier-free guidance can be baked into v (appendix B.1), so that sampling costs one
 * evaluation.
 */
import {
  add,
  clip,
  logicalAnd,
  lessEqual,
  mean,
  mul,
  split,
  stopGradient,
  sub,
  where,
  type Tensor,
} from '@meanflow/core';
import { validate } from '@meanflow/core/validation';
import { intervalPresets, intervalSampler, perRow, type ParameterTreeOf } from '@meanflow/samplers';
import * as z from 'zod';
import { share } from '../schema.js';
import { adaptivelyWeighted, adaptiveWeight, squaredNorm } from './adaptive-weight.js';
import { conditionDrop, guidancePair, oneBatch, type GuidancePair, guidanceDrop } from './condition-drop.js';
import { coupling } from './coupling.js';
import { velocityTarget } from './expected-velocity.js';
import { drawIntervals, tangentRows } from './interval-rows.js';
import { labelDrop } from './label-drop.js';
import {
  drawsOfRows,
  noInterval,
  onDropped,
  pathName,
  twice,
  velocityWithDerivative,
  type Evaluation,
} from './shared.js';
import { commonDraws, pathPoints } from './points.js';
import type { ObjectiveDefinition } from './definition.js';
import type { VelocityLossInputs, VelocityObjective } from './velocity-objective.js';

/**
 * Guidance baked into the velocity: v_g = ω v + (1 − ω − κ) v_u + κ v_c (eq. 20), where v_u and v_c are the
 * network's own velocities without and with the class. The effective scale is ω / (1 − κ).
 */
const bakedGuidance = z
  .strictObject({
    omega: z.number().nonnegative(),
    kappa: z.number().min(0).lt(1).optional().describe('0 by default.'),
    start: share.optional().describe('Guidance applies to start ≤ t ≤ end; always by default.'),
    end: share.optional(),
  })
  .refine(({ start = 0, end = 1 }) => start <= end, { path: ['start'], error: 'expected at most end.' });
export type BakedGuidance = z.infer<typeof bakedGuidance>;

const schema = z.strictObject({
  kind: z.literal('meanflow'),
  path: pathName,
  velocity: velocityTarget,
  coupling,
  intervals: intervalSampler
    .default(intervalPresets.meanflow)
    .describe('Distribution of r and t; the published one by default.'),
  weight: adaptiveWeight.default({ power: 1, epsilon: 0.01 }),
  clipInterval: z
    .boolean()
    .default(true)
    .describe('Whether t − r is limited to [0, 1] in the target, as the reference code does.'),
  tangentRows,
  guidance: bakedGuidance.optional(),
  labelDrop: labelDrop.optional(),
  conditionDrop,
  guidanceDrop,
});

/** MeanFlow, as plain JSON. */
export type MeanFlowConfig = z.input<typeof schema>;

/** What the loss is made of. Tensors of `[batch, ...features]`, unless said otherwise. */
export interface MeanFlowTerms {
  /** The point of the path. */
  readonly z: Tensor;
  /** The conditional velocity of the path, ε − x on the linear one. */
  readonly v: Tensor;
  /** v with guidance: what u is held to at r = t. */
  readonly guidedVelocity: Tensor;
  readonly u: Tensor;
  /** The total derivative of u along the guided velocity, of the rows that have an interval: `[rows, ...features]`. */
  readonly dudt: Tensor;
  readonly target: Tensor;
  /** ‖u − target‖², `[batch]`. */
  readonly squaredError: Tensor;
  /** `[batch]` */
  readonly weightedError: Tensor;
  /** ‖u − v‖², `[batch]`. */
  readonly velocityError: Tensor;
  /** A scalar. */
  readonly loss: Tensor;
}

/**
 * The terms of the loss, traced.
 *
 * @throws {ArgumentError} when guidance is asked for without classes and labels
 */
export function meanFlowTerms<Params extends ParameterTreeOf<Params>>(
  config: MeanFlowConfig,
  given: Omit<VelocityLossInputs<Params>, 'references'>,
): MeanFlowTerms {
  const { path, coupling, velocity, weight, clipInterval, guidance, guidanceDrop } = validate(
    schema,
    config,
    'meanflow',
  );
  const { z, v, t, r, shown, asked, evaluate, interval } = pathPoints(given, { path, coupling, velocity });
  const isGuided = guidance !== undefined && (guidance.omega !== 1 || (guidance.kappa ?? 0) !== 0);
  let guidedVelocity = v;
  if (isGuided) {
    const pair = guidancePair('meanflow', given.network, asked, given.draws, guidanceDrop);
    guidedVelocity = onDropped(pair.unguided, v, bakedVelocity(guidance, evaluate, { z, t, v }, pair));
  }
  const at = { z, r, t };
  const { u, dudt } = velocityWithDerivative(evaluate, at, interval.of(guidedVelocity), shown, interval);
  const length = interval.of(sub(t, r));
  const h = clipInterval ? clip(length, 0, 1) : length;
  // Nothing in the target has a gradient: guided velocity and derivative come without.
  const target = sub(guidedVelocity, interval.amongZeros(mul(perRow(h, dudt), dudt)));
  const squaredError = squaredNorm(sub(u, target));
  const weightedError = adaptivelyWeighted(squaredError, weight);
  const velocityError = squaredNorm(sub(u, v));
  const loss = mean(weightedError);
  return { z, v, guidedVelocity, u, dudt, target, squaredError, weightedError, velocityError, loss };
}

/** v_g inside the interval of guidance, v outside; without gradient. */
function bakedVelocity(
  { omega, kappa = 0, start = 0, end = 1 }: BakedGuidance,
  evaluate: Evaluation,
  { z, t, v }: Readonly<Record<'z' | 't' | 'v', Tensor>>,
  { given, bare }: GuidancePair,
): Tensor {
  let guided: Tensor;
  if (kappa === 0) {
    const { u: unconditional } = evaluate({ z, t, h: noInterval(t), ...bare });
    guided = add(unconditional, mul(omega, sub(v, unconditional)));
  } else {
    const both = evaluate({ z: twice(z), t: twice(t), h: noInterval(twice(t)), ...oneBatch(bare, given) }).u;
    const [unconditional, conditional] = split(both, [z.shape[0]!, z.shape[0]!], 0);
    guided = add(add(mul(omega, v), mul(1 - omega - kappa, unconditional)), mul(kappa, conditional));
  }
  const inside = logicalAnd(lessEqual(start, t), lessEqual(t, end));
  return stopGradient(where(perRow(inside, z), guided, v));
}

/**
 * The objective. Metrics: `squaredError`, the batch mean of ‖u − target‖², and `velocityError`, that of ‖u −
 * v‖².
 *
 * @throws {ArgumentError} when a field of `config` is out of range
 */
export function meanFlow(config: MeanFlowConfig = { kind: 'meanflow' }): VelocityObjective<MeanFlowConfig> {
  const { velocity, coupling, intervals, tangentRows, labelDrop, conditionDrop } = validate(
    schema,
    config,
    'meanflow',
  );
  return {
    name: 'meanflow',
    config,
    couplesRows: velocity === 'expected',
    draw: (given) => {
      const { key, batch } = given;
      const { equal: _, ...times } = drawIntervals(
        key.fold('intervals'),
        intervals,
        batch.x.shape[0]!,
        tangentRows,
      );
      return { ...commonDraws(given, { labelDrop, conditionDrop }, coupling), ...times };
    },
    rowsOf: drawsOfRows,
    loss: (given) => {
      const terms = meanFlowTerms(config, given);
      return {
        loss: terms.loss,
        metrics: { squaredError: mean(terms.squaredError), velocityError: mean(terms.velocityError) },
      };
    },
  };
}

export const meanFlowEntry: ObjectiveDefinition<MeanFlowConfig> = {
  name: 'meanflow',
  title: 'MeanFlow',
  description: 'regresses the average velocity over an interval; samples in one step',
  learns: 'Learns the average velocity over an interval, by an identity that needs a JVP.',
  source: 'Geng et al., arXiv 2505.13447',
  settings: schema,
  create: meanFlow,
  inRecipe: (settings) => settings,
};
