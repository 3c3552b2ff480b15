/**
 * Flow matching (Lipman et al., 2023; Liu et al., 2023; Albergo and Vanden-Eijnden, 2023): regress the
 * conditional velocity, ε − x on the linear path, at a random point of the path. It is MeanFlow with r = t on every row.
 */
import { mean, sub } from '@meanflow/core';
import { validate } from '@meanflow/core/validation';
import { sampleTimes, timeDistribution } from '@meanflow/samplers';
import * as z from 'zod';
import { adaptivelyWeighted, adaptiveWeight, squaredNorm } from './adaptive-weight.js';
import { conditionDrop, drawDroppedConditions, shownConditions } from './condition-drop.js';
import { labelDrop } from './label-drop.js';
import {
  drawDropout,
  drawsOfRows,
  drawDropped,
  drawNoise,
  inTraining,
  labelsOf,
  noInterval,
  pathName,
  pathPoint,
} from './shared.js';
import type { ObjectiveDefinition } from './definition.js';
import type { VelocityObjective } from './velocity-objective.js';

const schema = z.strictObject({
  kind: z.literal('flow-matching'),
  path: pathName,
  times: timeDistribution.default({ kind: 'uniform' }),
  weight: adaptiveWeight.default({ power: 0, epsilon: 1 }).describe('The plain squared error by default.'),
  labelDrop: labelDrop
    .optional()
    .describe('None by default; sampling with classifier-free guidance needs some.'),
  conditionDrop,
});

/** Flow matching, as plain JSON. */
export type FlowMatchingConfig = z.input<typeof schema>;

/**
 * The objective. Metrics: `squaredError`, the batch mean of ‖u − v‖².
 *
 * @throws {ArgumentError} when a field of `config` is out of range
 */
export function flowMatching(
  config: FlowMatchingConfig = { kind: 'flow-matching' },
): VelocityObjective<FlowMatchingConfig> {
  const { path, times, weight, labelDrop, conditionDrop } = validate(schema, config, 'flow-matching');
  return {
    name: 'flow-matching',
    config,
    draw: (given) => {
      const { key, batch } = given;
      return {
        noise: drawNoise(key, batch),
        t: sampleTimes(key.fold('times'), times, batch.x.shape[0]!),
        ...drawDropped(key, batch, labelDrop),
        ...drawDroppedConditions(key, batch, conditionDrop),
        ...drawDropout(given),
      };
    },
    rowsOf: drawsOfRows,
    loss: (given) => {
      const { network, batch, draws } = given;
      const { noise, t, dropped } = draws;
      const { z, v } = pathPoint(network, batch.x, noise, t, path);
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

export const flowMatchingEntry: ObjectiveDefinition<FlowMatchingConfig> = {
  name: 'flow-matching',
  title: 'Flow matching',
  description: 'regresses the velocity at an instant; sampling integrates it in many steps',
  learns: 'Learns the velocity at each instant. Sampling integrates it: many small Euler steps.',
  source: 'Lipman et al., 2023',
  settings: schema,
  solver: 'euler',
  create: flowMatching,
  inRecipe: ({ intervals }) => ({ times: intervals.t }),
};
