/**
 * Improved MeanFlow (Geng et al., "Improved Mean Flows", arXiv 2512.02012): the compound V = u + (t − r)
 * sg(du/dt) is regressed on the conditional velocity, with the derivative taken along the network's own
 * velocity: that of an auxiliary head, or u at r = t. The guidance scale and its interval can be inputs of
 * the network, so that they are chosen when sampling.
 */
import {
  add,
  ArgumentError,
  div,
  lessEqual,
  logicalAnd,
  mean,
  mul,
  split,
  stopGradient,
  sub,
  where,
  full,
  type Tensor,
} from '@meanflow/core';
import { validate } from '@meanflow/core/validation';
import {
  guidanceSampler,
  intervalPresets,
  intervalSampler,
  perRow,
  sampleGuidance,
  type ParameterTreeOf,
  type VelocityInputs,
  type VelocityNetwork,
} from '@meanflow/samplers';
import * as z from 'zod';
import { adaptivelyWeighted, adaptiveWeight, squaredNorm } from './adaptive-weight.js';
import { conditionDrop, guidancePair, oneBatch, guidanceDrop } from './condition-drop.js';
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

const schema = z.strictObject({
  kind: z.literal('improved-meanflow'),
  path: pathName,
  velocity: velocityTarget,
  coupling,
  intervals: intervalSampler
    .default(intervalPresets['improved-meanflow'])
    .describe('Distribution of r and t; the published one by default.'),
  weight: adaptiveWeight.default({ power: 1, epsilon: 0.01 }),
  tangent: z
    .enum(['velocity-head', 'boundary'])
    .default('velocity-head')
    .describe(
      "Whose velocity the derivative is taken along. velocity-head: the auxiliary head's, which is trained beside u. boundary: u at r = t, without a head.",
    ),
  tangentRows,
  guidance: guidanceSampler
    .optional()
    .describe(
      'Draw guidance scale and interval as conditions of the network; absent for training without guidance.',
    ),
  labelDrop: labelDrop.optional(),
  conditionDrop,
  guidanceDrop,
});

/** Improved MeanFlow, as plain JSON. */
export type ImprovedMeanFlowConfig = z.input<typeof schema>;

/** What the loss is made of. Tensors of `[batch, ...features]`, unless said otherwise. */
export interface ImprovedMeanFlowTerms {
  /** The point of the path. */
  readonly z: Tensor;
  /** The conditional velocity of the path, ε − x on the linear one. */
  readonly v: Tensor;
  /** v with guidance: what V and the head are regressed on. */
  readonly guidedVelocity: Tensor;
  /** The network's own velocity, along which u is differentiated, of the rows that have an interval: `[rows, ...features]`. */
  readonly tangent: Tensor;
  readonly u: Tensor;
  /** `[rows, ...features]` */
  readonly dudt: Tensor;
  /** V = u + (t − r) sg(du/dt). */
  readonly compound: Tensor;
  /** ‖V − v_g‖², `[batch]`. */
  readonly squaredError: Tensor;
  /** `[batch]` */
  readonly weightedError: Tensor;
  /** The velocity head, where the tangent is its. */
  readonly head?: {
    readonly v: Tensor;
    /** ‖v − v_g‖², `[batch]`. */
    readonly squaredError: Tensor;
    /** `[batch]` */
    readonly weightedError: Tensor;
  };
  /** A scalar: both weighted errors together. */
  readonly loss: Tensor;
}

/**
 * The terms of the loss, traced.
 *
 * @throws {ArgumentError} when the network lacks the head, the guidance inputs or the classes that `config`
 *   needs
 */
export function improvedMeanFlowTerms<Params extends ParameterTreeOf<Params>>(
  config: ImprovedMeanFlowConfig,
  given: Omit<VelocityLossInputs<Params>, 'references'>,
): ImprovedMeanFlowTerms {
  const settings = validate(schema, config, 'improved-meanflow');
  const { path, coupling, velocity, weight, tangent: variant, guidance, guidanceDrop } = settings;
  const { network, draws } = given;
  checkNetwork(settings, network);
  const { z, v, t, r, shown, asked, evaluate, interval } = pathPoints(given, { path, coupling, velocity });

  /** The network's instantaneous velocity, with guidance at every time and without gradient. */
  const instantaneous = (
    evaluate: Evaluation,
    inputs: Omit<VelocityInputs, 'h' | 'tMin' | 'tMax'>,
  ): Tensor => {
    const whole =
      inputs.omega === undefined ? {} : { tMin: full(inputs.t.shape, 0), tMax: full(inputs.t.shape, 1) };
    const out = evaluate({ ...inputs, ...whole, h: noInterval(inputs.t) });
    return stopGradient(variant === 'boundary' ? out.u : velocityOf(out));
  };

  const { omega, tMin, tMax } = draws;
  let tangent: Tensor;
  let guidedVelocity = v;
  if (guidance === undefined) {
    tangent = instantaneous(interval.evaluate, interval.ofTree({ z, t, ...asked }));
  } else {
    if (omega === undefined || tMin === undefined || tMax === undefined) {
      throw new ArgumentError('improved-meanflow: guidance needs omega, tMin and tMax among the draws.');
    }
    const pair = guidancePair('improved-meanflow', network, asked, draws, guidanceDrop);
    // On rows with r = t the interval is (0, 1), so this is the drawn scale there.
    const inside = logicalAnd(lessEqual(tMin, t), lessEqual(t, tMax));
    const scale = where(inside, omega, 1);
    const both = instantaneous(evaluate, {
      z: twice(z),
      t: twice(t),
      ...oneBatch(pair.given, pair.bare),
      omega: twice(scale, full(t.shape, 1)),
    });
    const [conditional, unconditional] = split(both, [z.shape[0]!, z.shape[0]!], 0);
    const strength = perRow(sub(1, div(1, scale)), z);
    const guided = add(v, mul(strength, sub(conditional, unconditional)));
    tangent = interval.of(conditional);
    guidedVelocity = onDropped(pair.unguided, v, guided);
  }

  const conditions = {
    ...shown,
    ...(guidance === undefined ? {} : { omega, tMin, tMax }),
  };
  const out = velocityWithDerivative(evaluate, { z, r, t }, tangent, conditions, interval);
  const { u, dudt } = out;
  const correction = mul(perRow(interval.of(sub(t, r)), dudt), dudt);
  const compound = add(u, interval.amongZeros(correction));
  const squaredError = squaredNorm(sub(compound, guidedVelocity));
  const weightedError = adaptivelyWeighted(squaredError, weight);
  const terms = { z, v, guidedVelocity, tangent, u, dudt, compound, squaredError, weightedError };
  if (variant === 'boundary') return { ...terms, loss: mean(weightedError) };
  const headVelocity = velocityOf(out);
  const headError = squaredNorm(sub(headVelocity, guidedVelocity));
  const weightedHeadError = adaptivelyWeighted(headError, weight);
  const head = { v: headVelocity, squaredError: headError, weightedError: weightedHeadError };
  return { ...terms, head, loss: mean(add(weightedError, weightedHeadError)) };
}

function checkNetwork(
  { tangent, guidance }: z.output<typeof schema>,
  network: Pick<VelocityNetwork, 'hasVelocityHead' | 'takesGuidance'>,
): void {
  if (tangent === 'velocity-head' && !network.hasVelocityHead) {
    throw new ArgumentError(
      "improved-meanflow: the network has no velocity head; give it one (velocityHead), or set tangent: 'boundary'.",
    );
  }
  if (guidance !== undefined && !network.takesGuidance) {
    throw new ArgumentError(
      'improved-meanflow: the network takes no guidance conditions; set guidance: true in its configuration, or remove guidance here.',
    );
  }
}

function velocityOf({ v }: { readonly v?: Tensor | undefined }): Tensor {
  if (v === undefined) throw new ArgumentError('improved-meanflow: the network returned no velocity "v".');
  return v;
}

/**
 * The objective. Metrics: `squaredError`, the batch mean of ‖V − v_g‖², and with a velocity head
 * `headSquaredError`, that of ‖v − v_g‖².
 *
 * @throws {ArgumentError} when a field of `config` is out of range
 */
export function improvedMeanFlow(
  config: ImprovedMeanFlowConfig = { kind: 'improved-meanflow' },
): VelocityObjective<ImprovedMeanFlowConfig> {
  const { velocity, coupling, intervals, tangentRows, guidance, labelDrop, conditionDrop } = validate(
    schema,
    config,
    'improved-meanflow',
  );
  return {
    name: 'improved-meanflow',
    config,
    couplesRows: velocity === 'expected',
    draw: (given) => {
      const { key, batch } = given;
      const { equal, ...times } = drawIntervals(
        key.fold('intervals'),
        intervals,
        batch.x.shape[0]!,
        tangentRows,
      );
      return {
        ...commonDraws(given, { labelDrop, conditionDrop }, coupling),
        ...times,
        ...(guidance === undefined ? {} : sampleGuidance(key.fold('guidance'), guidance, equal)),
      };
    },
    rowsOf: drawsOfRows,
    loss: (given) => {
      const { loss, squaredError, head } = improvedMeanFlowTerms(config, given);
      return {
        loss,
        metrics: {
          squaredError: mean(squaredError),
          ...(head === undefined ? {} : { headSquaredError: mean(head.squaredError) }),
        },
      };
    },
  };
}

export const improvedMeanFlowEntry: ObjectiveDefinition<ImprovedMeanFlowConfig> = {
  name: 'improved-meanflow',
  title: 'Improved MeanFlow',
  description: 'the average velocity by a standard regression; samples in one step',
  learns: 'The same average velocity, learnt by regressing the velocity that it implies.',
  source: 'Geng et al., arXiv 2512.02012',
  settings: schema,
  create: improvedMeanFlow,
  inRecipe: (settings) => ({ ...settings, tangent: 'boundary' }),
};
