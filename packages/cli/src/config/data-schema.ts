/** The schema of what is done to images and latents that are given by path. */
import { z } from 'zod';
import { count } from './numbers.js';

/** Of images; `size`, `channels` and `cacheBytes` are for folders, `labels` is for CIFAR-100. */
export const imageSettingsSchema = z.strictObject({
  /** Height and width that a folder's images are resized and cropped to. */
  size: count.optional(),
  channels: z.union([z.literal(1), z.literal(3)]).optional(),
  /** Mirror half of the images that are trained on. */
  flip: z.boolean().optional(),
  /** Width of a black border, from which a part of the image's size is cut at a random place. */
  cropPadding: z.int().nonnegative().optional(),
  labels: z.enum(['fine', 'coarse']).optional(),
  /** Most bytes of decoded images that are kept in memory. */
  cacheBytes: z.number().nonnegative().optional(),
});
export type ImageSettings = z.infer<typeof imageSettingsSchema>;

const perChannel = z.strictObject({ mean: z.array(z.number()), deviation: z.array(z.number().positive()) });

/** Of latents in an npz or safetensors file. */
export const latentSettingsSchema = z.strictObject({
  /** How they are brought to a network's range: a published way by its name, or by channel. */
  scale: z.union([z.enum(['meanflow', 'improved-meanflow', 'none']), perChannel]).optional(),
  /** What the channels are: values; or means with log variances or deviations, of which every batch draws anew. */
  form: z.enum(['values', 'log-variance', 'deviation']).optional(),
  /** How the arrays lie in the file. */
  from: z.enum(['nchw', 'nhwc']).optional(),
  /** What the arrays are called. */
  arrays: z.strictObject({ latents: z.string().optional(), labels: z.string().optional() }).optional(),
  classCount: count.optional(),
});
export type LatentSettings = z.infer<typeof latentSettingsSchema>;
