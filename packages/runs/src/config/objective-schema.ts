/** The schema of objectives, as `@meanflow/models` takes them. Ranges that an objective checks itself are left to it. */
import { z } from 'zod';
import { share } from './numbers.js';

const timeDistribution = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('uniform'), min: share.optional(), max: share.optional() }),
  z.strictObject({ kind: z.literal('logit-normal'), mean: z.number(), std: z.number().nonnegative() }),
]);

const intervals = z.strictObject({
  t: timeDistribution,
  r: timeDistribution.optional(),
  order: z.enum(['sort', 'clamp']).optional(),
  equalShare: share,
  equalRows: z.enum(['first', 'coin']).optional(),
  equalTime: z.enum(['ordered', 'drawn']).optional(),
  uniformShare: share.optional(),
  fullShare: share.optional(),
});

const weight = z.strictObject({ power: z.number().nonnegative(), epsilon: z.number().positive() });
const labelDrop = z.strictObject({ probability: share, rows: z.enum(['first', 'any']).optional() });

const conditionDrop = z.record(z.string(), share);
const guidanceDrop = z.array(z.string()).min(1);

/** What is learnt, by method. */
export const objectiveSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('flow-matching'),
    times: timeDistribution.optional(),
    weight: weight.optional(),
    labelDrop: labelDrop.optional(),
    conditionDrop: conditionDrop.optional(),
  }),
  z.strictObject({
    kind: z.literal('meanflow'),
    intervals: intervals.optional(),
    weight: weight.optional(),
    guidanceDrop: guidanceDrop.optional(),
    clipInterval: z.boolean().optional(),
    guidance: z
      .strictObject({
        omega: z.number().nonnegative(),
        kappa: z.number().min(0).lt(1).optional(),
        start: share.optional(),
        end: share.optional(),
      })
      .optional(),
    labelDrop: labelDrop.optional(),
    conditionDrop: conditionDrop.optional(),
  }),
  z.strictObject({
    kind: z.literal('improved-meanflow'),
    intervals: intervals.optional(),
    weight: weight.optional(),
    guidanceDrop: guidanceDrop.optional(),
    tangent: z.enum(['velocity-head', 'boundary']).optional(),
    guidance: z
      .strictObject({ maxScale: z.number().gt(1).optional(), power: z.number().optional() })
      .optional(),
    labelDrop: labelDrop.optional(),
    conditionDrop: conditionDrop.optional(),
  }),
]);
