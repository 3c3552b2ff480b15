/**
 * MeanFlow (Geng et al., "Mean Flows for One-step Generative Modeling", arXiv 2505.13447): regress the
 * average velocity u on v − (t − r) du/dt, the right-hand side of the MeanFlow identity, under stop-gradient
 * (eqs. 9 to 11). Classifier-free guidance can be baked into v (appendix B.1), so that sampling costs one
 * evaluation.
 */
import {
  add,
  ArgumentError,
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
  checkChoice,
  checkOptions,
} from '@meanflow/core';
import {
  checkIntervalSampler,
  intervalPresets,
  perRow,
  sampleIntervals,
  type IntervalSampler,
  type ParameterTree,
} from '@meanflow/samplers';
import {
  adaptivelyWeighted,
  checkAdaptiveWeight,
  squaredNorm,
  type AdaptiveWeight,
} from './adaptive-weight.js';
import {
  checkConditionDrop,
  drawDroppedConditions,
  guidancePair,
  oneBatch,
  shownConditions,
  type ConditionDrop,
  type GuidancePair,
} from './condition-drop.js';
import { checkLabelDrop, type LabelDrop } from './label-drop.js';
import {
  drawDropout,
  drawDropped,
  drawNoise,
  inTraining,
  labelsOf,
  noInterval,
  onDropped,
  pathPoint,
  twice,
  velocityWithDerivative,
  type Evaluation,
} from './shared.js';
import type { VelocityLossInputs, VelocityObjective } from './velocity-objective.js';

/**
 * Guidance baked into the velocity: v_g = ω v + (1 − ω − κ) v_u + κ v_c (eq. 20), where v_u and v_c are the
 * network's own velocities without and with the class. The effective scale is ω / (1 − κ).
 */
export interface BakedGuidance {
  readonly omega: number;
  /** In [0, 1); 0 by default. */
  readonly kappa?: number;
  /** Guidance applies to start ≤ t ≤ end; always by default. */
  readonly start?: number;
  readonly end?: number;
}

/** MeanFlow, as plain JSON. */
export interface MeanFlowConfig {
  readonly kind: 'meanflow';
  /** The published one (`intervalPresets.meanflow`) by default. */
  readonly intervals?: IntervalSampler;
  /** power 1 and epsilon 0.01 by default. */
  readonly weight?: AdaptiveWeight;
  /** Whether t − r is limited to [0, 1] in the target, as the reference code does; true by default. */
  readonly clipInterval?: boolean;
  readonly guidance?: BakedGuidance;
  readonly labelDrop?: LabelDrop;
  /** How often each optional condition is dropped; never by default. */
  readonly conditionDrop?: ConditionDrop;
  /** What guidance drops, `label` or conditions; by default all that are given and that the network can be without. */
  readonly guidanceDrop?: readonly string[];
}

/** What the loss is made of. Tensors of `[batch, ...features]`, unless said otherwise. */
export interface MeanFlowTerms {
  /** The point of the path. */
  readonly z: Tensor;
  /** The conditional velocity ε − x. */
  readonly v: Tensor;
  /** v with guidance: what u is held to at r = t. */
  readonly guidedVelocity: Tensor;
  readonly u: Tensor;
  /** The total derivative of u along the guided velocity. */
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
export function meanFlowTerms<Params extends ParameterTree>(
  config: MeanFlowConfig,
  given: Omit<VelocityLossInputs<Params>, 'references'>,
): MeanFlowTerms {
  const { weight = defaultWeight, clipInterval = true, guidance, guidanceDrop } = config;
  const { network, batch, draws } = given;
  const evaluate = inTraining(given);
  const { noise, t, r = t, dropped } = draws;
  const { z, v } = pathPoint(network, batch.x, noise, t);
  const { original, shown } = labelsOf(network, batch, dropped);
  const conditions = shownConditions(network, batch, draws);
  const isGuided = guidance !== undefined && (guidance.omega !== 1 || (guidance.kappa ?? 0) !== 0);
  let guidedVelocity = v;
  if (isGuided) {
    const asked = { label: original, ...conditions };
    const pair = guidancePair('meanflow', network, asked, draws, guidanceDrop);
    guidedVelocity = onDropped(pair.unguided, v, bakedVelocity(guidance, evaluate, { z, t, v }, pair));
  }
  const at = { z, r, t };
  const shownInputs = { label: shown, ...conditions };
  const { u, dudt } = velocityWithDerivative(evaluate, at, guidedVelocity, shownInputs);
  const h = clipInterval ? clip(sub(t, r), 0, 1) : sub(t, r);
  // Nothing in the target has a gradient: guided velocity and derivative come without.
  const target = sub(guidedVelocity, mul(perRow(h, z), dudt));
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
    const [unconditional, conditional] = split(both, [z.shape[0], z.shape[0]], 0);
    guided = add(add(mul(omega, v), mul(1 - omega - kappa, unconditional)), mul(kappa, conditional));
  }
  const inside = logicalAnd(lessEqual(start, t), lessEqual(t, end));
  return stopGradient(where(perRow(inside, z), guided, v));
}

const defaultWeight: AdaptiveWeight = { power: 1, epsilon: 0.01 };

/**
 * The objective. Metrics: `squaredError`, the batch mean of ‖u − target‖², and `velocityError`, that of ‖u −
 * v‖².
 *
 * @throws {ArgumentError} when a field of `config` is out of range
 */
export function meanFlow(config: MeanFlowConfig = { kind: 'meanflow' }): VelocityObjective<MeanFlowConfig> {
  const { intervals = intervalPresets.meanflow, weight = defaultWeight } = config;
  const { guidance, labelDrop, conditionDrop } = config;
  checkOptions<MeanFlowConfig>('meanFlow', config, {
    kind: true,
    intervals: true,
    weight: true,
    clipInterval: true,
    guidance: true,
    labelDrop: true,
    conditionDrop: true,
    guidanceDrop: true,
  });
  checkChoice('meanFlow: kind', config.kind, ['meanflow']);
  checkIntervalSampler(intervals);
  checkAdaptiveWeight(weight);
  if (labelDrop !== undefined) checkLabelDrop(labelDrop);
  checkConditionDrop(conditionDrop ?? {});
  if (guidance !== undefined) checkGuidance(guidance);
  return {
    name: 'meanflow',
    config,
    draw: (given) => {
      const { key, batch } = given;
      const { t, r } = sampleIntervals(key.fold('intervals'), intervals, batch.x.shape[0]);
      return {
        noise: drawNoise(key, batch),
        t,
        r,
        ...drawDropped(key, batch, labelDrop),
        ...drawDroppedConditions(key, batch, conditionDrop),
        ...drawDropout(given),
      };
    },
    loss: (given) => {
      const terms = meanFlowTerms(config, given);
      return {
        loss: terms.loss,
        metrics: { squaredError: mean(terms.squaredError), velocityError: mean(terms.velocityError) },
      };
    },
  };
}

function checkGuidance(guidance: BakedGuidance): void {
  checkOptions<BakedGuidance>('guidance', guidance, { omega: true, kappa: true, start: true, end: true });
  const { omega, kappa = 0, start = 0, end = 1 } = guidance;
  if (!(omega >= 0 && omega < Infinity)) {
    throw new ArgumentError(`guidance.omega is a number from 0 on, got ${omega}.`);
  }
  if (!(kappa >= 0 && kappa < 1)) throw new ArgumentError(`guidance.kappa is in [0, 1), got ${kappa}.`);
  if (!(start >= 0 && start <= end && end <= 1)) {
    throw new ArgumentError(`guidance needs 0 ≤ start ≤ end ≤ 1, got [${start}, ${end}].`);
  }
}
