/**
 * A plain U-Net for small images (Ronneberger et al., 2015; with the residual blocks, attention and conditions of Ho et al., 2020,
 * and Dhariwal and Nichol, 2021): what learns small pictures fastest on a few cores, because convolutions know from the
 * start that neighbours belong together. Times, guidance conditions and the class are embedded, summed, and modulate every block.
 */
import { concat, pad, silu, slice, transpose, type Symbolic, type Tensor } from '@meanflow/core';
import { leading, validate } from '@meanflow/core/validation';
import type { VelocityInputs } from '@meanflow/samplers';
import * as z from 'zod';
import { channelsRole, conditioningRoles } from '../adopt/conditioning-roles.js';
import { runBlocks } from '../layers/blocks.js';
import { conv2d, conv2dParameters, type Conv2dParameters } from '../layers/conv2d.js';
import { planConditions, withBeside } from '../layers/given-conditions.js';
import { groupNormParameters, type GroupNormParameters } from '../layers/group-norm.js';
import {
  imageBlock,
  imageBlockParameters,
  imageNorm,
  type ImageBlockParameters,
  type ImageBlockShape,
} from '../layers/image-block.js';
import type { Described } from '../layers/parameters.js';
import { doubled, halved } from '../layers/resample.js';
import {
  condition,
  conditioningFields,
  conditioningParameters,
  type ConditionForm,
  type ConditioningParameters,
} from './conditioning.js';
import type { NetworkDefinition } from './definition.js';
import { count, dataFields, layerCount } from './fields.js';
import { composeNetwork, type ConfiguredNetwork } from './network.js';

const settings = z.strictObject({
  kind: z.literal('unet'),
  channels: count.default(32).describe('Channels that the multipliers multiply.'),
  channelMultipliers: z
    .array(count)
    .min(1)
    .max(12)
    .readonly()
    .default([1, 2, 2])
    .describe(
      'Channels of each resolution, in multiples of `channels`; the first at full size, each next at half the one before. Images are made ' +
        'larger by zeros inside the network where their sides cannot be halved so often.',
    ),
  blocks: layerCount.default(1).describe('Blocks of each resolution on the way down, and on the way up.'),
  attentionLevels: z
    .array(z.int().nonnegative())
    .readonly()
    .default([1, 2])
    .describe(
      'At which resolutions blocks have self-attention, counted from 0 at full size; the middle always has.',
    ),
  conditionMultiplier: count.default(4).describe('Width of the condition, in multiples of `channels`.'),
  ...conditioningFields,
});
const schema = settings.extend(dataFields('[height, width, channels] of an image.'));

/** A plain U-Net, as plain JSON. */
export type UNetConfig = z.input<typeof schema>;
type FullConfig = z.output<typeof schema>;

/** By resolution, the full one first; so is `up`. */
export type UNetParameters = {
  readonly condition: ConditioningParameters;
  readonly input: Conv2dParameters;
  readonly down: readonly (readonly ImageBlockParameters[])[];
  readonly middle: readonly ImageBlockParameters[];
  readonly up: readonly (readonly ImageBlockParameters[])[];
  readonly out: { readonly norm: GroupNormParameters; readonly conv: Conv2dParameters };
};

/**
 * A plain U-Net.
 *
 * @throws {ArgumentError} when a field of `config` is out of range
 */
export function unet(config: UNetConfig): ConfiguredNetwork<UNetParameters, UNetConfig> {
  const full = validate(schema, config, 'unet');
  const { featureShape } = full;
  const plan = planConditions(full.conditions, { image: { featureShape, channelAxis: 2 } });
  const form: Exclude<ConditionForm, { readonly kind: 'features' }> = {
    kind: 'add',
    width: full.conditionMultiplier * full.channels,
    activation: 'silu',
  };
  const [height, width, channels] = leading(featureShape, 3);
  const part = 2 ** (full.channelMultipliers.length - 1);
  const margins = [height, width].map((side) => Math.ceil(side / part) * part - side);

  const apply = (params: Symbolic<UNetParameters>, inputs: VelocityInputs) => {
    const { beside, features } = plan.read(inputs);
    const c = silu(condition(full, form, params.condition, inputs, features));
    const run = runBlocks((y, each: Symbolic<ImageBlockParameters>) => imageBlock(each, y, c));
    const images = transpose(withBeside(inputs.z, beside, 3), [0, 3, 1, 2]);
    let x = conv2d(params.input, pad(images, { high: [0, 0, ...margins] }));
    const skips: Tensor[] = [];
    params.down.forEach((blocks, level) => {
      if (level > 0) x = halved(x);
      blocks.forEach((block, i) => skips.push((x = run(x, [block], `down/${level}`, i))));
    });
    x = run(x, params.middle, 'middle');
    for (const [level, blocks] of [...params.up.entries()].reverse()) {
      blocks.forEach((block, i) => {
        x = run(concat([x, skips.pop()!], 1), [block], `up/${level}`, i);
      });
      if (level > 0) x = doubled(x);
    }
    const u = conv2d(params.out.conv, silu(imageNorm(params.out.norm, x)));
    return {
      u: transpose(slice(u, [0, 0, 0, 0], [u.shape[0]!, channels, height, width]), [0, 2, 3, 1]),
    };
  };

  return composeNetwork(config, {
    takesGuidance: full.guidance,
    specs: parameterSpecs(full, form, plan),
    apply,
  });
}

function parameterSpecs(
  config: FullConfig,
  form: Exclude<ConditionForm, { readonly kind: 'features' }>,
  plan: { readonly channels: number; readonly features: number },
): Described<UNetParameters> {
  const { featureShape, channels, channelMultipliers, blocks: count, attentionLevels } = config;
  const imageChannels = featureShape[2]!;
  const block = (shape: ImageBlockShape) => imageBlockParameters(shape, form.width);
  let inputs = channels;
  const skips: number[] = [];
  const levels = channelMultipliers.map((multiplier, level) => ({
    outputs: multiplier * channels,
    attention: attentionLevels.includes(level),
  }));
  const down = levels.map(({ outputs, attention }) =>
    Array.from({ length: count }, () => {
      const made = block({ inputs, outputs, attention });
      skips.push((inputs = outputs));
      return made;
    }),
  );
  const middle = [true, false].map((attention) => block({ inputs, outputs: inputs, attention }));
  const up = [...levels].reverse().map(({ outputs, attention }) =>
    Array.from({ length: count }, () => {
      const made = block({ inputs: inputs + skips.pop()!, outputs, attention });
      inputs = outputs;
      return made;
    }),
  );
  return {
    condition: conditioningParameters(config, form, 'pytorch', plan),
    input: conv2dParameters(imageChannels + plan.channels, channels, 3, 'pytorch'),
    down,
    middle,
    up: up.reverse(),
    out: { norm: groupNormParameters(inputs), conv: conv2dParameters(inputs, imageChannels, 3, 'zero') },
  };
}

export const unetEntry: NetworkDefinition<UNetConfig> = {
  name: 'unet',
  settings,
  sizeFields: { width: 'channels', depth: 'blocks' },
  create: unet,
  facts: (given) => {
    const { kind, channels, channelMultipliers, blocks, guidance } = settings.parse(given);
    const widths = channelMultipliers.map((multiplier) => multiplier * channels).join(', ');
    const description = `${kind} of ${widths} channels, ${blocks} ${blocks === 1 ? 'block' : 'blocks'} for each resolution`;
    return { takesGuidance: guidance, hasVelocityHead: false, description };
  },
  roles: (config, facts) => {
    const full = schema.parse(config);
    const { featureShape } = full;
    const { features, channels } = planConditions(full.conditions, {
      image: { featureShape, channelAxis: 2 },
    });
    const conditioning = conditioningRoles(full, 'add', facts, features);
    return (path) =>
      path === 'input/kernel' ? channelsRole(featureShape[2]!, channels, 1) : conditioning(path);
  },
};
