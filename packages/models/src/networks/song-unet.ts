/**
 * The DDPM++ U-Net (Song et al., "Score-Based Generative Modeling through Stochastic Differential Equations", 2021; in the
 * parametrisation of Karras et al., 2022, table 7) as MeanFlow uses it on CIFAR-10 (arXiv 2505.13447, appendix A): features
 * of t and of h = t − r stand side by side where the original has those of the noise level. Classes, which MeanFlow's networks have not,
 * are those of Karras et al. (2022): one linear map of the class as a vector, added to the features. Images are channels first.
 */
import {
  add,
  ArgumentError,
  concat,
  full,
  mul,
  oneHot,
  recomputable,
  silu,
  type Symbolic,
  type Tensor,
} from '@meanflow/core';
import { validate } from '@meanflow/core/validation';
import type { VelocityInputs } from '@meanflow/samplers';
import { channelsRole } from '../adopt/conditioning-roles.js';
import { classRows } from '../adopt/roles.js';
import { conv2d, conv2dParameters, type Conv2dParameters } from '../layers/conv2d.js';
import { drawDropout, dropout } from '../layers/dropout.js';
import { planConditions, withBeside, type ConditionPlan } from '../layers/given-conditions.js';
import { groupNormParameters, type GroupNormParameters } from '../layers/group-norm.js';
import { linear, linearParameters, type LinearParameters } from '../layers/linear.js';
import { type Described } from '../layers/parameters.js';
import { embedScalar, type ScalarEmbedding } from '../layers/scalar-embedding.js';
import {
  NEARLY_ZERO,
  unetBlock,
  unetBlockParameters,
  unetNorm,
  type UNetBlockParameters,
} from '../layers/unet-block.js';
import { songUNetBuffers, songUNetNames } from '../published/unet-names.js';
import { checkLabel } from './conditioning.js';
import type { NetworkDefinition } from './definition.js';
import { composeNetwork, type ConfiguredNetwork } from './network.js';
import {
  planUNet,
  runOrder,
  songUNetSchema,
  songUNetSettings,
  type FullSongUNetConfig,
  type PlannedBlock,
  type SongUNetConfig,
  type UNetLevel,
  type UNetPlan,
} from './song-unet-plan.js';

export type SongUNetParameters = {
  readonly condition: {
    /** Augmentation labels to features, `[augmentWidth, 2 · timeMultiplier · channels]`. */
    readonly augment?: LinearParameters | undefined;
    /** The class to features, `[classCount, 2 · timeMultiplier · channels]`; of no class there is the bias alone. */
    readonly label?: LinearParameters | undefined;
    /** Conditions that are features to features, `[numbers, 2 · timeMultiplier · channels]`. */
    readonly given?: LinearParameters | undefined;
    readonly hidden: LinearParameters;
    readonly out: LinearParameters;
  };
  readonly input: Conv2dParameters;
  /** By resolution, the full one first; so is the decoder. */
  readonly encoder: readonly UNetLevel<UNetBlockParameters>[];
  readonly decoder: readonly UNetLevel<UNetBlockParameters>[];
  readonly out: { readonly norm: GroupNormParameters; readonly conv: Conv2dParameters };
};

/**
 * A DDPM++ U-Net. It takes no guidance conditions.
 *
 * @throws {ArgumentError} when a field of `config` is out of range
 */
export function songUNet(config: SongUNetConfig): ConfiguredNetwork<SongUNetParameters, SongUNetConfig> {
  const full = validate(songUNetSchema, config, 'song-unet');
  const { featureShape, resampleFilter, dropout: rate } = full;
  const plan = planUNet(full);
  const order = runOrder(plan);
  const given = planConditions(full.conditions, { image: { featureShape, channelAxis: 0 } });
  const specs = parameterSpecs(full, plan, given);
  const dimension = full.channels * full.timeMultiplier;
  const embedding = { kind: 'sinusoidal', dimension, endpoint: true, first: 'sines' } as const;

  const apply = (params: Symbolic<SongUNetParameters>, inputs: VelocityInputs) => {
    const { beside, features } = given.read(inputs);
    const condition = conditionOf(params.condition, embedding, full, inputs, features);
    let blocksRun = 0;
    const run = (x: Tensor, block: Symbolic<UNetBlockParameters>): Tensor => {
      const index = blocksRun++;
      const draw = rate === 0 ? undefined : inputs.dropout?.[index];
      const through = (y: Tensor): Tensor =>
        unetBlock(block, y, {
          condition,
          resample: order[index]!.resample,
          resampleFilter,
          dropout: draw && ((z) => dropout(z, draw, rate)),
        });
      return recomputable(`block ${index}`, through)(x);
    };

    let x = conv2d(params.input, withBeside(inputs.z, beside, 1));
    const skips = [x];
    for (const { down, blocks } of params.encoder) {
      for (const block of down === undefined ? blocks : [down, ...blocks]) {
        x = run(x, block);
        skips.push(x);
      }
    }
    for (const { in0, in1, up, blocks } of [...params.decoder].reverse()) {
      x = [in0, in1, up].reduce((y, block) => (block === undefined ? y : run(y, block)), x);
      x = blocks.reduce((y, block) => run(concat([y, skips.pop()!], 1), block), x);
    }
    return { u: conv2d(params.out.conv, silu(unetNorm(params.out.norm, x))) };
  };

  return composeNetwork(config, {
    specs,
    apply,
    ...(rate === 0
      ? {}
      : {
          drawDropout: (key, rows) =>
            order.map(({ outputs, size }, i) => drawDropout(key.fold(i), [rows, outputs, size, size])),
        }),
  });
}

/** `[batch, conditionMultiplier · channels]` */
function conditionOf(
  params: Symbolic<SongUNetParameters['condition']>,
  embedding: ScalarEmbedding,
  { classCount }: Pick<FullSongUNetConfig, 'classCount'>,
  { z, t, h, augment, label, omega, tMin, tMax }: VelocityInputs,
  given: Tensor | undefined,
): Tensor {
  if ([omega, tMin, tMax].some((guidance) => guidance !== undefined)) {
    throw new ArgumentError('This U-Net takes no guidance conditions.');
  }
  checkLabel(classCount, label);
  if (params.augment === undefined && augment !== undefined) {
    throw new ArgumentError('Augmentation labels were given to a network that takes none; set augmentWidth.');
  }
  const times = concat([embedScalar(embedding, t), embedScalar(embedding, h)], 1);
  const features = [
    ...(params.augment && augment ? [linear(params.augment, augment)] : []),
    ...(params.given && given ? [linear(params.given, given)] : []),
    ...(params.label && classCount !== undefined
      ? [linear(params.label, classVectors(label ?? full([z.shape[0]!], classCount, 'int32'), classCount))]
      : []),
  ].reduce((sum, each) => add(sum, each), times);
  return silu(linear(params.out, silu(linear(params.hidden, features))));
}

/** The class as a vector of unit variance, as Karras et al. (2022) have it; zero for no class. `[batch, classCount]` */
const classVectors = (label: Tensor, classCount: number): Tensor =>
  mul(Math.sqrt(classCount), oneHot(label, classCount));

function parameterSpecs(
  config: FullSongUNetConfig,
  plan: UNetPlan,
  given: ConditionPlan,
): Described<SongUNetParameters> {
  const { featureShape, channels, timeMultiplier, conditionMultiplier, augmentWidth, classCount } = config;
  const [features, width] = [2 * timeMultiplier * channels, conditionMultiplier * channels];
  const last = channels * config.channelMultipliers[0]!;
  const block = (planned: PlannedBlock) => unetBlockParameters(planned, width);
  const level = ({ blocks, ...single }: UNetLevel<PlannedBlock>) => ({
    ...Object.fromEntries(Object.entries(single).map(([name, planned]) => [name, block(planned!)])),
    blocks: blocks.map(block),
  });
  return {
    condition: {
      ...(augmentWidth === undefined
        ? {}
        : { augment: linearParameters(augmentWidth, features, 'xavier', { bias: false }) }),
      ...(given.features === 0
        ? {}
        : { given: linearParameters(given.features, features, 'xavier', { bias: false }) }),
      ...(classCount === undefined ? {} : { label: linearParameters(classCount, features, 'xavier') }),
      hidden: linearParameters(features, width, 'xavier'),
      out: linearParameters(width, width, 'xavier'),
    },
    input: conv2dParameters(featureShape[0]! + given.channels, channels, 3, { kind: 'xavier', gain: 1 }),
    encoder: plan.encoder.map(level),
    decoder: plan.decoder.map(level),
    out: {
      norm: groupNormParameters(last),
      conv: conv2dParameters(last, featureShape[0]!, 3, NEARLY_ZERO),
    },
  };
}

export const songUNetEntry: NetworkDefinition<SongUNetConfig> = {
  name: 'song-unet',
  settings: songUNetSettings,
  sizeFields: { width: 'channels', depth: 'blocks' },
  layout: 'nchw',
  create: songUNet,
  facts: (given) => {
    const { kind, channels, channelMultipliers, blocks } = songUNetSettings.parse(given);
    const widths = channelMultipliers.map((multiplier) => multiplier * channels).join(', ');
    const description = `${kind} of ${widths} channels, ${blocks} blocks for each resolution`;
    return { takesGuidance: false, hasVelocityHead: false, description };
  },
  publishedNames: (config) => ({ torch: songUNetNames(config) }),
  publishedBuffers: (config) => songUNetBuffers(songUNetSchema.parse(config)),
  roles: (config, facts) => {
    const { featureShape, conditions, classCount } = songUNetSchema.parse(config);
    const { channels } = planConditions(conditions, { image: { featureShape, channelAxis: 0 } });
    return (path) => {
      if (path === 'input/kernel') return channelsRole(featureShape[0]!, channels, 1);
      if (path === 'condition/label/kernel' && classCount !== undefined) {
        return { rows: classRows(classCount, facts).slice(0, classCount), otherwise: 'zero' };
      }
      if (path === 'condition/label/bias') return { otherwise: 'zero' };
      // Augmentation labels and given numbers are added to the features of the times.
      return /^condition\/(augment|given)\/kernel$/.test(path) ? { otherwise: 'zero' } : undefined;
    };
  },
};
