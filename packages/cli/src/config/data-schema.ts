/** The schema of what is done to images and latents that are given by path. */
import { z } from 'zod';
import { count } from './numbers.js';

/** Of images; `labels` is for CIFAR-100, flips and crops are for all, the rest is for folders. */
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
  /** Which folders are to learn from and to judge by; `none`: all are classes. By default their names tell. */
  splits: z.union([z.literal('none'), z.tuple([z.string()]), z.tuple([z.string(), z.string()])]).optional(),
  /** Follow links to files and folders. */
  followLinks: z.boolean().optional(),
  /** Leave out images that cannot be decoded, with a list of them. */
  skipDamaged: z.boolean().optional(),
  /** Most bytes that the pixels of one image may take, as its header says; 256 MiB by default. */
  maxImageBytes: count.optional(),
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
