/**
 * Flow matching (Lipman et al., 2023; Liu et al., 2023; Albergo and Vanden-Eijnden, 2023): regress the
 * conditional velocity ε − x at a random point of the path. It is MeanFlow with r = t on every row.
 */
import { mean, sub, checkChoice, checkOptions } from '@meanflow/core';
import { checkTimeDistribution, sampleTimes, type TimeDistribution } from '@meanflow/samplers';
import {
  adaptivelyWeighted,
  checkAdaptiveWeight,
  squaredNorm,
  type AdaptiveWeight,
} from './adaptive-weight.js';
import {
  checkConditionDrop,
  drawDroppedConditions,
  shownConditions,
  type ConditionDrop,
} from './condition-drop.js';
import { checkLabelDrop, type LabelDrop } from './label-drop.js';
import {
  drawDropout,
  drawDropped,
  drawNoise,
  inTraining,
  labelsOf,
  noInterval,
  pathPoint,
} from './shared.js';
import type { VelocityObjective } from './velocity-objective.js';

/** Flow matching, as plain JSON. */
export interface FlowMatchingConfig {
  readonly kind: 'flow-matching';
  /** Uniform on [0, 1) by default. */
  readonly times?: TimeDistribution;
  /** The plain squared error by default. */
  readonly weight?: AdaptiveWeight;
  /** None by default; sampling with classifier-free guidance needs some. */
  readonly labelDrop?: LabelDrop;
  /** How often each optional condition is dropped; never by default. */
  readonly conditionDrop?: ConditionDrop;
}

/**
 * The objective. Metrics: `squaredError`, the batch mean of ‖u − v‖².
 *
 * @throws {ArgumentError} when a field of `config` is out of range
 */
export function flowMatching(
  config: FlowMatchingConfig = { kind: 'flow-matching' },
): VelocityObjective<FlowMatchingConfig> {
  const { times = { kind: 'uniform' }, weight = { power: 0, epsilon: 1 } } = config;
  const { labelDrop, conditionDrop } = config;
  checkOptions<FlowMatchingConfig>('flowMatching', config, {
    kind: true,
    times: true,
    weight: true,
    labelDrop: true,
    conditionDrop: true,
  });
  checkChoice('flowMatching: kind', config.kind, ['flow-matching']);
  checkTimeDistribution('times', times);
  checkAdaptiveWeight(weight);
  if (labelDrop !== undefined) checkLabelDrop(labelDrop);
  checkConditionDrop(conditionDrop ?? {});
  return {
    name: 'flow-matching',
    config,
    draw: (given) => {
      const { key, batch } = given;
      return {
        noise: drawNoise(key, batch),
        t: sampleTimes(key.fold('times'), times, batch.x.shape[0]),
        ...drawDropped(key, batch, labelDrop),
        ...drawDroppedConditions(key, batch, conditionDrop),
        ...drawDropout(given),
      };
    },
    loss: (given) => {
      const { network, batch, draws } = given;
      const { noise, t, dropped } = draws;
      const { z, v } = pathPoint(network, batch.x, noise, t);
      const label = labelsOf(network, batch, dropped).shown;
      const shown = shownConditions(network, batch, draws);
      const { u } = inTraining(given)({ z, t, h: noInterval(t), label, ...shown });
      const squared = squaredNorm(sub(u, v));
      return {
        loss: mean(adaptivelyWeighted(squared, weight)),
        metrics: { squaredError: mean(squared) },
      };
    },
  };
}
