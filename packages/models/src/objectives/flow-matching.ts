/**
 * Flow matching (Lipman et al., 2023; Liu et al., 2023; Albergo and Vanden-Eijnden, 2023): regress the
 * conditional velocity, ε − x on the linear path, at a random point of the path. It is MeanFlow with r = t on every row.
 */
import { mean, sub } from '@meanflow/core';
import { validate } from '@meanflow/core/validation';
import { sampleTimes, timeDistribution } from '@meanflow/samplers';
import * as z from 'zod';
import { adaptivelyWeighted, adaptiveWeight, squaredNorm } from './adaptive-weight.js';
import { conditionDrop } from './condition-drop.js';
import { coupling } from './coupling.js';
import { velocityTarget } from './expected-velocity.js';
import { labelDrop } from './label-drop.js';
import { drawsOfRows, noInterval, pathName } from './shared.js';
import { commonDraws, pathPoints } from './points.js';
import type { ObjectiveDefinition } from './definition.js';
import type { VelocityObjective } from './velocity-objective.js';

const schema = z.strictObject({
  kind: z.literal('flow-matching'),
  path: pathName,
  velocity: velocityTarget,
  coupling,
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
  const { path, velocity, coupling, times, weight, labelDrop, conditionDrop } = validate(
    schema,
    config,
    'flow-matching',
  );
  return {
    name: 'flow-matching',
    config,
    couplesRows: velocity === 'expected',
    draw: (given) => {
      const { key, batch } = given;
      return {
        ...commonDraws(given, { labelDrop, conditionDrop }, coupling),
        t: sampleTimes(key.fold('times'), times, batch.x.shape[0]!),
      };
    },
    rowsOf: drawsOfRows,
    loss: (given) => {
      const { z, v, t, shown, evaluate } = pathPoints(given, { path, coupling, velocity });
      const { u } = evaluate({ z, t, h: noInterval(t), ...shown });
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
  inRecipe: ({ intervals, coupling }) => ({ times: intervals.t, ...(coupling && { coupling }) }),
};
