/**
 * The plan of the DDPM++ U-Net: from its configuration, which blocks there are at each resolution, with how many channels,
 * and in which order they are run.
 */
import { ArgumentError } from '@meanflow/core';
import * as z from 'zod';
import { resampleFilter } from '../layers/resample.js';
import { unetGroups, type UNetBlockShape } from '../layers/unet-block.js';
import { count, dataFields, layerCount } from './fields.js';

export const songUNetSettings = z.strictObject({
  kind: z.literal('song-unet'),
  channels: count.describe('Channels that the multipliers multiply.'),
  channelMultipliers: z
    .array(count)
    .min(1)
    .readonly()
    .describe(
      'Channels of each resolution, in multiples of `channels`; the first at full size, each next at half the one before.',
    ),
  blocks: layerCount.describe('Blocks of each resolution on the way down; one more on the way up.'),
  attentionResolutions: z
    .array(count)
    .readonly()
    .describe('Sides of the images at which blocks have self-attention.'),
  timeMultiplier: count.default(2).describe('Features of each time, in multiples of `channels`.'),
  conditionMultiplier: count.default(4).describe('Width of the condition, in multiples of `channels`.'),
  resampleFilter: resampleFilter
    .default([1, 3, 3, 1])
    .describe('Filter of the changes of resolution; that of DDPM++ by default.'),
  augmentWidth: count
    .optional()
    .describe(
      'Columns of the augmentation labels, `augment` of the inputs (Karras et al., 2022, appendix F.2); none by default.',
    ),
  dropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('Share of activations dropped in every block while training.'),
});

export const songUNetSchema = songUNetSettings.extend(dataFields('[channels, size, size] of an image.'));

/** A DDPM++ U-Net, as plain JSON. */
export type SongUNetConfig = z.input<typeof songUNetSchema>;
/** The same, with every default filled in. */
export type FullSongUNetConfig = z.output<typeof songUNetSchema>;

/** A block as the plan has it. */
export interface PlannedBlock extends UNetBlockShape {
  /** Side of the image that it makes. */
  readonly size: number;
}

/** The blocks of one resolution. */
export type UNetLevel<Block> = {
  /** On the way down, from the resolution before; absent at full size. */
  readonly down?: Block | undefined;
  /** On the way up at the lowest resolution: the middle of the network. The first has attention. */
  readonly in0?: Block | undefined;
  readonly in1?: Block | undefined;
  /** On the way up, from the resolution below. */
  readonly up?: Block | undefined;
  readonly blocks: readonly Block[];
};

/** By resolution, the full one first. */
export interface UNetPlan {
  readonly encoder: readonly UNetLevel<PlannedBlock>[];
  readonly decoder: readonly UNetLevel<PlannedBlock>[];
}

/**
 * Which blocks there are, resolution by resolution.
 *
 * @throws {ArgumentError} when fields do not fit to one another
 */
export function planUNet(config: FullSongUNetConfig): UNetPlan {
  checkConfig(config);
  const { channels, channelMultipliers, blocks: count, attentionResolutions } = config;
  const size = (level: number) => config.featureShape[1]! / 2 ** level;
  const attends = (level: number) => attentionResolutions.includes(size(level));
  // What the way down leaves for the way up: the channels of each of its results.
  const skips = [channels];
  let inputs = channels;
  const block = (level: number, outputs: number, kind: Partial<PlannedBlock> = {}): PlannedBlock => {
    const planned = { inputs, outputs, size: size(level), ...kind };
    inputs = outputs;
    return planned;
  };
  const encoder = channelMultipliers.map((multiplier, level): UNetLevel<PlannedBlock> => {
    const down = level === 0 ? {} : { down: block(level, inputs, { resample: 'down' }) };
    if (level > 0) skips.push(inputs);
    const blocks = Array.from({ length: count }, () => {
      skips.push(channels * multiplier);
      return block(level, channels * multiplier, { attention: attends(level) });
    });
    return { ...down, blocks };
  });
  const upwards = [...channelMultipliers.entries()].reverse();
  const decoder = upwards.map(([level, multiplier], i): UNetLevel<PlannedBlock> => {
    const before: Omit<UNetLevel<PlannedBlock>, 'blocks'> = i === 0
      ? { in0: block(level, inputs, { attention: true }), in1: block(level, inputs) }
      : { up: block(level, inputs, { resample: 'up' }) };
    const blocks = Array.from({ length: count + 1 }, (_, k) =>
      block(level, channels * multiplier, {
        inputs: inputs + skips.pop()!,
        attention: k === count && attends(level),
      }),
    );
    return { ...before, blocks };
  });
  const plan = { encoder, decoder: decoder.reverse() };
  for (const each of runOrder(plan)) checkGroups(each);
  return plan;
}

/** The blocks in the order in which they are run. */
export function runOrder({ encoder, decoder }: UNetPlan): readonly PlannedBlock[] {
  return [...encoder, ...[...decoder].reverse()].flatMap(({ down, in0, in1, up, blocks }) =>
    [down, in0, in1, up, ...blocks].filter((block) => block !== undefined),
  );
}

function checkConfig({
  featureShape,
  channels,
  channelMultipliers,
  timeMultiplier,
}: FullSongUNetConfig): void {
  const divisor = 2 ** (channelMultipliers.length - 1);
  const [, height = 0, width = 0] = featureShape;
  if (featureShape.length !== 3 || height !== width || height % divisor !== 0) {
    throw new ArgumentError(
      `A U-Net of ${channelMultipliers.length} resolutions needs images of [channels, size, size] with a size divisible by ` +
        `${divisor}; got [${featureShape.join(', ')}].`,
    );
  }
  if ((channels * timeMultiplier) % 2 !== 0 || channels * timeMultiplier < 4) {
    throw new ArgumentError(
      `channels · timeMultiplier, the features of a time, is an even number from 4, got ${channels * timeMultiplier}.`,
    );
  }
}

function checkGroups({ inputs, outputs }: UNetBlockShape): void {
  const uneven = [inputs, outputs].find((channels) => channels < 4 || channels % unetGroups(channels) !== 0);
  if (uneven === undefined) return;
  throw new ArgumentError(
    `A block of the U-Net has ${uneven} channels, which do not divide into up to 32 equal groups of 4 or more; ` +
      'choose channels and channelMultipliers differently.',
  );
}
