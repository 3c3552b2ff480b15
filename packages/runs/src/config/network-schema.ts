/**
 * The schema of networks: what their configurations in `@meanflow/models` hold beside what the data decides, and what the command
 * must know of a network before there is one. Ranges that a network checks itself are left to it.
 */
import type { ImageLayout } from '@meanflow/data';
import { z } from 'zod';
import { count } from './numbers.js';

const scalarEmbedding = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('sinusoidal'),
    dimension: count,
    scale: z.number().positive().optional(),
    maxPeriod: z.number().gt(1).optional(),
    endpoint: z.boolean().optional(),
    first: z.enum(['cosines', 'sines']).optional(),
  }),
  z.strictObject({ kind: z.literal('fourier'), frequencies: count }),
]);

const activation = z.enum(['silu', 'gelu', 'gelu-tanh', 'tanh', 'relu']);
const initialisation = z.enum(['pytorch', 'xavier']);
const velocityHead = z.strictObject({ depth: z.int().nonnegative() });

const times = z.enum(['t-and-h', 't-and-r', 'h', 't']);

const conditioning = {
  embedding: scalarEmbedding.optional(),
  times: times.optional(),
  classWidth: count.optional(),
  guidance: z.boolean().optional(),
};

const mlp = z.strictObject({
  kind: z.literal('mlp'),
  width: count,
  depth: count,
  activation: activation.optional(),
  join: z.enum(['concatenate', 'add']).optional(),
  velocityHead: velocityHead.optional(),
  initialisation: initialisation.optional(),
  zeroOutput: z.boolean().optional(),
  ...conditioning,
});

const residualMlp = z.strictObject({
  kind: z.literal('residual-mlp'),
  width: count,
  depth: count,
  expansion: count.optional(),
  activation: activation.optional(),
  normalisation: z.enum(['layer-norm', 'rms-norm', 'none']).optional(),
  conditioning: z.enum(['film', 'additive']).optional(),
  join: z.enum(['add', 'concatenate']).optional(),
  velocityHead: velocityHead.optional(),
  initialisation: initialisation.optional(),
  zeroOutput: z.boolean().optional(),
  ...conditioning,
});

const dit = z.strictObject({
  kind: z.literal('dit'),
  patchSize: count,
  width: count,
  depth: count,
  heads: count,
  mlpRatio: z.number().positive().optional(),
  velocityHead: velocityHead.optional(),
  embedding: scalarEmbedding.optional(),
  times: times.optional(),
  guidance: z.boolean().optional(),
});

/** What improved and pixel MeanFlow's networks have in common. */
const inContext = {
  patchSize: count,
  width: count,
  depth: count,
  heads: count,
  headDepth: z.int().nonnegative().optional(),
  velocityHead: velocityHead.optional(),
  mlpRatio: z.number().positive().optional(),
  guidance: z.boolean().optional(),
  tokens: z
    .strictObject({
      label: count.optional(),
      omega: count.optional(),
      interval: count.optional(),
      time: count.optional(),
    })
    .optional(),
};

const imfDit = z.strictObject({ kind: z.literal('imf-dit'), ...inContext });

const pmfDit = z.strictObject({
  kind: z.literal('pmf-dit'),
  ...inContext,
  bottleneck: count.optional(),
  noiseScale: z.number().positive().optional(),
});

const songUnet = z.strictObject({
  kind: z.literal('song-unet'),
  channels: count,
  channelMultipliers: z.array(count).min(1),
  blocks: count,
  attentionResolutions: z.array(count),
  timeMultiplier: count.optional(),
  conditionMultiplier: count.optional(),
  resampleFilter: z.array(z.number()).min(1).optional(),
  augmentWidth: count.optional(),
  dropout: z.number().min(0).lt(1).optional(),
});

/** A network without what the data decides: the shape of a sample and the number of classes. */
export const networkSchema = z.discriminatedUnion('kind', [mlp, residualMlp, dit, imfDit, pmfDit, songUnet]);
export type NetworkSettings = z.infer<typeof networkSchema>;

/** Whether it takes ω and its interval as conditions; published transformers do unless told otherwise. */
export function takesGuidance(network: NetworkSettings): boolean {
  switch (network.kind) {
    case 'imf-dit':
    case 'pmf-dit':
      return network.guidance ?? true;
    case 'song-unet':
      return false;
    default:
      return network.guidance ?? false;
  }
}

/** Whether it has a head for the instantaneous velocity, which training needs. */
export function hasVelocityHead(network: NetworkSettings): boolean {
  return network.kind !== 'song-unet' && network.velocityHead !== undefined;
}

/** How it takes images: the U-Net is the only one that wants channels first. @param kind of a network, checked or not */
export function layoutFor(kind: unknown): ImageLayout {
  return kind === 'song-unet' ? 'nchw' : 'nhwc';
}

/** Whether it sees features without their places, so that the order of an array's axes is nothing to it. @param kind of a network, checked or not */
export function isFlat(kind: unknown): boolean {
  return kind === 'mlp' || kind === 'residual-mlp';
}

/** Its kind and size in words, such as `dit, 4 deep, 128 wide`. */
export function describeNetwork(network: NetworkSettings): string {
  const { kind } = network;
  if (kind === 'song-unet') {
    const widths = network.channelMultipliers.map((multiplier) => multiplier * network.channels);
    return `${kind} of ${widths.join(', ')} channels, ${network.blocks} blocks for each resolution`;
  }
  return `${kind}, ${network.depth} deep, ${network.width} wide`;
}
