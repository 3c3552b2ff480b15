/**
 * DiT, the diffusion transformer with adaLN-zero (Peebles and Xie, 2023), as MeanFlow uses it (arXiv 2505.13447): the
 * times t and h = t − r and the class are embedded, summed, and modulate every block. The project's conditioning options
 * make it a network for flow matching, MeanFlow and improved MeanFlow alike.
 */
import { add, concat, constant, mul, silu, slice, split, type Symbolic, type Tensor } from '@meanflow/core';
import { validate, leading } from '@meanflow/core/validation';
import type { VelocityInputs } from '@meanflow/samplers';
import * as z from 'zod';
import { channelsRole, conditioningRoles, headRole } from '../adopt/conditioning-roles.js';
import { multiHeadAttention } from '../layers/attention.js';
import { runBlocks } from '../layers/blocks.js';
import { geluMlp, geluMlpParameters, type GeluMlpParameters } from '../layers/feed-forward.js';
import {
  planConditions,
  sequenceLength,
  sequenceTokenParameters,
  sequenceTokens,
  withBeside,
  type ConditionPlan,
  type SequenceTokenParameters,
} from '../layers/given-conditions.js';
import { linear, linearParameters, type LinearParameters } from '../layers/linear.js';
import { modulatedNorm, modulations } from '../layers/modulation.js';
import { normalWith, type Described } from '../layers/parameters.js';
import {
  embedPatches,
  patchEmbeddingParameters,
  patchGrid,
  patchWidth,
  unpatchify,
  type PatchEmbeddingParameters,
  type PatchGrid,
} from '../layers/patches.js';
import { checkPositionsWidth, sinusoidalPositions } from '../layers/positions.js';
import { scalarEmbedding } from '../layers/scalar-embedding.js';
import { ditBuffers, ditNames } from '../published/transformer-names.js';
import {
  condition,
  conditioningFields,
  conditioningParameters,
  type ConditionForm,
  type ConditioningParameters,
} from './conditioning.js';
import { count, dataFields, layerCount, velocityHead } from './fields.js';
import {
  checkHeads,
  checkMlpRatio,
  checkVelocityHead,
  once,
  composeNetwork,
  type ConfiguredNetwork,
} from './network.js';
import type { NetworkDefinition } from './definition.js';

const settings = z.strictObject({
  kind: z.literal('dit'),
  patchSize: count.describe(
    'Side of a patch; images whose sides it does not divide are made larger by zeros inside the network.',
  ),
  width: count.describe('Width of a token; divisible by 4 and by `heads`.'),
  depth: layerCount.describe('Number of blocks.'),
  heads: count,
  mlpRatio: z
    .number()
    .positive()
    .default(4)
    .describe("Hidden units of a block's MLP, in multiples of `width`."),
  velocityHead: velocityHead
    .optional()
    .describe('An auxiliary head for the instantaneous velocity v, with `depth` of the blocks to itself.'),
  ...conditioningFields,
  embedding: scalarEmbedding
    .default({ kind: 'sinusoidal', dimension: 256 })
    .describe('Features of each time.'),
});
const schema = settings.extend(dataFields('[height, width, channels] of an image or latent.'));

/** A DiT, as plain JSON. */
export type DitConfig = z.input<typeof schema>;
type FullConfig = z.output<typeof schema>;

export type DitBlockParameters = {
  /** From the condition: shift, scale and gate of the attention, then of the MLP; `[width, 6 · width]`. */
  readonly modulation: LinearParameters;
  readonly attention: {
    /** Queries, keys and values, one after the other; `[width, 3 · width]`. */
    readonly qkv: LinearParameters;
    readonly out: LinearParameters;
  };
  readonly mlp: GeluMlpParameters;
};

export type DitOutputParameters = {
  /** From the condition: shift and scale; `[width, 2 · width]`. */
  readonly modulation: LinearParameters;
  readonly linear: LinearParameters;
};

export type DitParameters = {
  readonly patch: PatchEmbeddingParameters;
  readonly condition: ConditioningParameters;
  /** Tokens before the patches, of each sequence that is given. */
  readonly sequences?: Readonly<Record<string, SequenceTokenParameters>> | undefined;
  readonly blocks: readonly DitBlockParameters[];
  readonly out: DitOutputParameters;
  /** The auxiliary head's own copies of the last blocks, and its output. */
  readonly velocityHead?:
    | {
        readonly blocks: readonly DitBlockParameters[];
        readonly out: DitOutputParameters;
      }
    | undefined;
};

/**
 * A DiT.
 *
 * @throws {ArgumentError} when a field of `config` is out of range
 */
export function dit(config: DitConfig): ConfiguredNetwork<DitParameters, DitConfig> {
  const full = validate(schema, config, 'dit');
  const { featureShape, patchSize, width, depth, heads, velocityHead } = full;
  checkHeads(width, heads);
  checkMlpRatio(full.mlpRatio, width);
  checkVelocityHead(velocityHead, depth);
  const form: ConditionForm = { kind: 'add', width, activation: 'silu' };
  const grid = patchGrid(featureShape, patchSize);
  const plan = planConditions(full.conditions, { image: { featureShape, channelAxis: 2 }, tokens: true });
  // Images that are given stand beside z, as channels of its patches.
  const seen = { ...grid, channels: grid.channels + plan.channels };
  const prefix = sequenceLength(plan.sequences);
  checkPositionsWidth(width);
  const positions = once(() => sinusoidalPositions(grid.rows, grid.columns, width));
  const specs = parameterSpecs(full, grid, form, plan);

  const block = (x: Tensor, params: Symbolic<DitBlockParameters>, c: Tensor): Tensor => {
    const [shift, scale, gate, mlpShift, mlpScale, mlpGate] = leading(
      modulations(params.modulation, c, 6),
      6,
    );
    const { qkv, out } = params.attention;
    const [q, k, v] = split(linear(qkv, modulatedNorm(x, shift, scale)), [width, width, width]);
    const y = add(x, mul(gate, linear(out, multiHeadAttention(q, k, v, { heads }))));
    return add(y, mul(mlpGate, geluMlp(params.mlp, modulatedNorm(y, mlpShift, mlpScale))));
  };

  const output = (x: Tensor, params: Symbolic<DitOutputParameters>, c: Tensor): Tensor => {
    const [shift, scale] = leading(modulations(params.modulation, c, 2), 2);
    const patches = prefix === 0 ? x : slice(x, [0, prefix, 0], x.shape);
    return unpatchify(grid, linear(params.linear, modulatedNorm(patches, shift, scale)));
  };

  const apply = (params: Symbolic<DitParameters>, inputs: VelocityInputs) => {
    const given = plan.read(inputs);
    const c = silu(condition(full, form, params.condition, inputs, given.features));
    const images = withBeside(inputs.z, given.beside, 3);
    const patches = add(embedPatches(params.patch, seen, images), constant(positions()));
    const before = sequenceTokens(params.sequences, given);
    const start = before.length === 0 ? patches : concat([...before, patches], 1);
    const run = runBlocks((x, each: Symbolic<DitBlockParameters>) => block(x, each, c));
    const shared = depth - (velocityHead?.depth ?? 0);
    const trunk = run(start, params.blocks.slice(0, shared), 'blocks');
    const u = output(run(trunk, params.blocks.slice(shared), 'blocks', shared), params.out, c);
    const head = params.velocityHead;
    if (head === undefined) return { u };
    return { u, v: output(run(trunk, head.blocks, 'velocityHead/blocks'), head.out, c) };
  };

  return composeNetwork(config, {
    takesGuidance: full.guidance,
    hasVelocityHead: velocityHead !== undefined,
    specs,
    apply,
  });
}

/** Xavier-uniform kernels, normal(0.02) embedders, and zero where the published network starts as the identity. */
function parameterSpecs(
  config: FullConfig,
  grid: PatchGrid,
  form: ConditionForm,
  plan: ConditionPlan,
): Described<DitParameters> {
  const { width, depth, mlpRatio, velocityHead } = config;
  const blocks = (count: number) =>
    Array.from({ length: count }, () => ({
      modulation: linearParameters(width, 6 * width, 'zero'),
      attention: {
        qkv: linearParameters(width, 3 * width, 'xavier'),
        out: linearParameters(width, width, 'xavier'),
      },
      mlp: geluMlpParameters(width, Math.floor(mlpRatio * width), 'xavier'),
    }));
  const out = () => ({
    modulation: linearParameters(width, 2 * width, 'zero'),
    linear: linearParameters(width, patchWidth(grid), 'zero'),
  });
  return {
    patch: patchEmbeddingParameters({ ...grid, channels: grid.channels + plan.channels }, width, 'xavier'),
    condition: conditioningParameters(config, form, { kind: 'normal', deviation: 0.02 }, plan),
    ...(Object.keys(plan.sequences).length === 0
      ? {}
      : { sequences: sequenceTokenParameters(plan.sequences, width, 'xavier', normalWith(0.02)) }),
    blocks: blocks(depth),
    out: out(),
    ...(velocityHead === undefined
      ? {}
      : { velocityHead: { blocks: blocks(velocityHead.depth), out: out() } }),
  };
}

export const ditEntry: NetworkDefinition<DitConfig> = {
  name: 'dit',
  settings,
  create: dit,
  publishedNames: (config) => ditNames(schema.parse(config).times),
  publishedBuffers: ditBuffers,
  roles: (config, facts) => {
    const full = schema.parse(config);
    const { featureShape } = full;
    const image = { featureShape, channelAxis: 2 } as const;
    const { features, channels } = planConditions(full.conditions, { image, tokens: true });
    const conditioning = conditioningRoles(full, 'add', facts, features);
    return (path) => {
      if (path === 'patch/kernel') return channelsRole(featureShape[2]!, channels, 2);
      return headRole(path, 'blocks', full) ?? conditioning(path);
    };
  },
};
