/** The schema of optimizers and averages, as `@meanflow/training` makes them. */
import { z } from 'zod';
import { count } from './numbers.js';

const below1 = z.number().min(0).lt(1);

const schedule = {
  learningRate: z.number().positive().describe('The highest; its schedule says the rest.'),
  schedule: z
    .enum(['constant', 'cosine', 'linear'])
    .describe('How the learning rate goes on after the warm-up.'),
  finalShare: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('Share of the learning rate that is left at the last step, for `cosine` and `linear`.'),
  warmUpSteps: z
    .int()
    .nonnegative()
    .describe(
      'Steps in which the rate rises in a line from `warmUpFrom`, 0 by default, before it follows its schedule.',
    ),
  warmUpFrom: z.number().nonnegative().optional(),
  clipNorm: z
    .number()
    .positive()
    .optional()
    .describe('Largest global norm of the gradients; absent for no clipping.'),
};

const moments = { beta1: below1, beta2: below1, epsilon: z.number().positive() };

/** AdamW, or Adam where `weightDecay` is 0. Configurations of before there was another kind have none. */
const adamW = {
  kind: z.literal('adamw').optional(),
  ...schedule,
  ...moments,
  weightDecay: z.number().nonnegative().describe('Decoupled, as in AdamW.'),
};

/** Muon for matrices and Adam with Nesterov momentum for the rest, as pixel MeanFlow is trained; at the same rate. */
const muon = {
  kind: z.literal('muon'),
  ...schedule,
  beta: below1.describe("Decay of Muon's momentum."),
  adam: z.strictObject(moments),
};

export const optimizerSchema = z.discriminatedUnion('kind', [z.strictObject(adamW), z.strictObject(muon)]);
export type OptimizerSettings = z.infer<typeof optimizerSchema>;

/** As it is asked for: the warm-up may be in passes over the data. */
const asked = {
  warmUpSteps: schedule.warmUpSteps.optional(),
  warmUpEpochs: z.number().nonnegative().optional().describe('The same in passes over the data.'),
};
export const askedOptimizerSchema = z.discriminatedUnion('kind', [
  z.strictObject({ ...adamW, ...asked }),
  z.strictObject({ ...muon, ...asked }),
]);

/** The decay, or the half-life in samples, that an average is called by. */
export const averageName = z.number().nonnegative();

/** Averages of the parameters, by decays or by half-lives in samples, or both. */
export const emaSchema = z
  .strictObject({
    decays: z.array(below1).min(1).max(64).optional().describe('Of each update.'),
    halfLives: z
      .array(z.number().min(1))
      .min(1)
      .max(64)
      .optional()
      .describe('In samples, as in EDM and pixel MeanFlow.'),
    every: count.optional().describe('Updates between two of the averages.'),
    rampUp: z
      .boolean()
      .optional()
      .describe(
        'Begin with smaller decays. Configurations of before that was usual say nothing, and mean false.',
      ),
    rampUpShare: z
      .number()
      .positive()
      .optional()
      .describe('No half-life is longer than this share of the samples seen.'),
  })
  .refine(
    ({ decays, halfLives }) => decays !== undefined || halfLives !== undefined,
    'expected decays or halfLives.',
  );
export type EmaSettings = z.infer<typeof emaSchema>;

/** What the averages are called by: decays and half-lives. */
export function averagesOf({ decays = [], halfLives = [] }: EmaSettings): readonly number[] {
  return [...decays, ...halfLives];
}

/** What an average is called by, in words: decays are below 1, half-lives are not. */
export function averageText(name: number): string {
  return name < 1 ? `decay ${name}` : `half-life ${name} samples`;
}
