/** The schema of how tables are read, and of what is done to images and latents that are given by path. */
import { maskKinds } from '@meanflow/data';
import { z } from 'zod';
import { LARGEST_IMAGE } from '../names.js';
import { sha256 } from './digest.js';
import { RECORDED } from './fields.js';
import { count } from './numbers.js';

/** The largest data sets have some ten thousand. */
const MOST_CLASSES = 1_000_000;

/** Of images; `labels` is for CIFAR-100, flips and crops are for all, the rest is for folders. */
export const imageSettingsSchema = z.strictObject({
  size: count
    .max(LARGEST_IMAGE)
    .optional()
    .describe("Height and width that a folder's images are resized and cropped to."),
  channels: z.union([z.literal(1), z.literal(3)]).optional(),
  flip: z.boolean().optional().describe('Mirror half of the images that are trained on.'),
  cropPadding: z
    .int()
    .nonnegative()
    .max(LARGEST_IMAGE)
    .optional()
    .describe("Width of a black border, from which a part of the image's size is cut at a random place."),
  labels: z.enum(['fine', 'coarse']).optional().describe('Of CIFAR-100: which of its two.'),
  cacheBytes: z
    .number()
    .nonnegative()
    .optional()
    .describe('Most bytes of decoded images that are kept in memory.'),
  splits: z
    .union([z.literal('none'), z.tuple([z.string()]), z.tuple([z.string(), z.string()])])
    .optional()
    .describe(
      'Which folders are to learn from and to judge by; `none`: all are classes. By default their names tell.',
    ),
  followLinks: z.boolean().optional().describe('Follow links to files and folders.'),
  skipDamaged: z
    .boolean()
    .optional()
    .describe('Leave out images that cannot be decoded, with a list of them.'),
  maxImageBytes: count
    .optional()
    .describe('Most bytes that the pixels of one image may take, as its header says; 256 MiB by default.'),
});
export type ImageSettings = z.infer<typeof imageSettingsSchema>;

const column = z.union([z.string().min(1), count]);

/** Of a CSV file: what is not said here is found out. */
export const tableSettingsSchema = z.strictObject({
  header: z.boolean().optional().describe('Whether the first row names the columns.'),
  delimiter: z
    .string()
    .min(1)
    .optional()
    .describe('What separates cells: a character, or comma, semicolon, tab, space, bar.'),
  decimal: z.enum(['.', ',']).optional().describe('The decimal sign.'),
  thousands: z.string().min(1).optional().describe('What stands between groups of three digits, or none.'),
  comment: z.string().min(1).optional().describe('What lines that are comments begin with, or none.'),
  encoding: z.string().min(1).optional().describe('Such as utf-8, utf-16le, windows-1252.'),
  columns: z.array(column).min(1).optional().describe('The columns to learn, by name or by number from 1.'),
  drop: z.array(column).optional().describe('The columns to leave out.'),
  skipMissing: z
    .boolean()
    .optional()
    .describe('Leave out rows with missing values, which are an error otherwise.'),
});
export type TableSettings = z.infer<typeof tableSettingsSchema>;

const perChannel = z.strictObject({ mean: z.array(z.number()), deviation: z.array(z.number().positive()) });

/** Of latents, or pictures, in an array of a file. What is not given is told from the array and kept here. */
export const latentSettingsSchema = z.strictObject({
  scale: z
    .union([z.enum(['meanflow', 'improved-meanflow', 'none']), perChannel])
    .optional()
    .describe("How they are brought to a network's range: a published way by its name, or by channel."),
  form: z
    .enum(['values', 'log-variance', 'deviation'])
    .optional()
    .describe(
      'What the channels are: values; or means with log variances or deviations, of which every batch draws anew.',
    ),
  from: z.enum(['nchw', 'nhwc']).optional().describe('How the arrays lie in the file.'),
  arrays: z
    .strictObject({ latents: z.string().optional(), labels: z.string().optional() })
    .optional()
    .describe('What the arrays are called.'),
  classCount: count.max(MOST_CLASSES).optional(),
  labelMeaning: z
    .enum(['distinct', 'numbers'])
    .optional()
    .describe('Whether each number that occurs is a class, or all from 0 to the largest.'),
  readAs: z.enum(['latents', 'pictures']).optional().describe('What the values are.'),
  range: z.enum(['byte', 'unit', 'signed']).optional().describe('Of pictures: what black and white are.'),
});
export type LatentSettings = z.infer<typeof latentSettingsSchema>;

/** What is given of the data, for which the rest is drawn: `DataTask` of `@meanflow/data`, or images beside them. */
export const taskSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('given'), columns: z.array(z.string().min(1)).min(1) }),
  z.strictObject({ kind: z.literal('inpaint'), mask: z.enum(maskKinds).optional() }),
  z.strictObject({ kind: z.literal('super-resolution'), factor: z.int().min(2).optional() }),
  z.strictObject({
    kind: z.literal('beside'),
    images: z
      .record(z.string(), z.string().min(1))
      .describe(
        'Paths of folders with images of the same names, or of arrays with the same rows, by the name of the condition.',
      ),
    /** SHA-256 of each, recorded by the run itself. */
    digests: z.record(z.string(), sha256).optional().meta(RECORDED),
  }),
]);
export type RunTask = z.infer<typeof taskSchema>;

/** How data were read: what was told from them and what was asked for, in the terms of their kind. */
export const readingSchema = z.union([
  tableSettingsSchema,
  imageSettingsSchema.pick({ splits: true }),
  latentSettingsSchema.pick({ readAs: true, from: true, form: true, range: true, labelMeaning: true }),
]);
