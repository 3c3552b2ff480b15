/** Fields that the configurations of several networks have. */
import * as z from 'zod';

/** A whole number from 1. */
export const count = z.int().positive();

/** Layers are described, and traced, one by one: a network of more is a mistake, or a file that means harm. */
export const layerCount = count.max(1000);

/** The auxiliary head for the instantaneous velocity v, with `depth` layers to itself. */
export const velocityHead = z.strictObject({ depth: z.int().nonnegative() });

/** Of linear layers. */
export const initialisation = z.enum(['pytorch', 'xavier']);

/** What the data decide: the shape of one sample. */
export const featureShape = z.array(count).min(1).readonly();

/** What the data decide: what is given with each sample beside its class, and what of it may be absent. */
export const conditions = z
  .record(
    z.string(),
    z.strictObject({
      kind: z.enum(['vector', 'image', 'sequence', 'mask']),
      shape: z.array(count).min(1).readonly(),
      optional: z.boolean().optional(),
    }),
  )
  .optional()
  .describe('Conditions beside the class, by name; absent for a network without.');

/** What the data decide: the number of classes, absent for a network without. */
export const classCount = count.optional().describe('Number of classes; absent for a network without.');

/** What the data decide of a network with classes. @param shape what a sample's is, in words */
export const dataFields = (shape: string) => ({
  featureShape: featureShape.describe(shape),
  classCount,
  conditions,
});
