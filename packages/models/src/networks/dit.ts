/**
 * DiT, the diffusion transformer with adaLN-zero (Peebles and Xie, 2023), as MeanFlow uses it (arXiv 2505.13447): the
 * times t and h = t − r and the class are embedded, summed, and modulate every block. The project's conditioning options
 * make it a network for flow matching, MeanFlow and improved MeanFlow alike.
 */
import { add, constant, mul, silu, split, type Symbolic, type Tensor, checkOptions } from '@meanflow/core';
import type { VelocityInputs } from '@meanflow/samplers';
import { multiHeadAttention } from '../layers/attention.js';
import { geluMlp, geluMlpParameters, type GeluMlpParameters } from '../layers/feed-forward.js';
import { linear, linearParameters, type LinearParameters } from '../layers/linear.js';
import { modulatedNorm, modulations } from '../layers/modulation.js';
import { countParameters, initialParameters, type Described } from '../layers/parameters.js';
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
import {
  checkConditioning,
  condition,
  conditioningFields,
  conditioningParameters,
  type ConditionForm,
  type ConditioningConfig,
  type ConditioningParameters,
} from './conditioning.js';
import {
  checkCounts,
  checkFeatureShape,
  checkHeads,
  checkMlpRatio,
  checkVelocityHead,
  once,
  type ConfiguredNetwork,
} from './network.js';

/** A DiT, as plain JSON. `embedding` is sinusoidal with dimension 256 and scale 1 by default. */
export interface DitConfig extends Omit<ConditioningConfig, 'classWidth'> {
  readonly kind: 'dit';
  /** `[height, width, channels]` of an image or latent. */
  readonly featureShape: readonly number[];
  /** Side of a patch; images whose sides it does not divide are made larger by zeros inside the network. */
  readonly patchSize: number;
  /** Width of a token; divisible by 4 and by `heads`. */
  readonly width: number;
  /** Number of blocks. */
  readonly depth: number;
  readonly heads: number;
  /** Hidden units of a block's MLP, in multiples of `width`; 4 by default. */
  readonly mlpRatio?: number;
  /** An auxiliary head for the instantaneous velocity v, with `depth` of the blocks to itself. */
  readonly velocityHead?: { readonly depth: number };
}

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
  readonly blocks: readonly DitBlockParameters[];
  readonly out: DitOutputParameters;
  /** The auxiliary head's own copies of the last blocks, and its output. */
  readonly velocityHead?: {
    readonly blocks: readonly DitBlockParameters[];
    readonly out: DitOutputParameters;
  };
};

const publishedEmbedding = { kind: 'sinusoidal', dimension: 256 } as const;

/**
 * A DiT.
 *
 * @throws {ArgumentError} when a field of `config` is out of range
 */
export function dit(config: DitConfig): ConfiguredNetwork<DitParameters, DitConfig> {
  const { featureShape, patchSize, width, depth, heads, velocityHead } = config;
  const { classWidth: _, ...conditioningOptions } = conditioningFields;
  checkOptions<DitConfig>('dit', config, {
    ...conditioningOptions,
    kind: true,
    featureShape: true,
    patchSize: true,
    width: true,
    depth: true,
    heads: true,
    mlpRatio: true,
    velocityHead: true,
  });
  checkFeatureShape(featureShape);
  checkCounts({ patchSize, width, depth, heads });
  checkHeads(width, heads);
  checkMlpRatio(config.mlpRatio ?? 4, width);
  checkVelocityHead(velocityHead, depth);
  const conditioning: ConditioningConfig = { embedding: publishedEmbedding, ...config };
  checkConditioning(conditioning);
  const form: ConditionForm = { kind: 'add', width, activation: 'silu' };
  const grid = patchGrid(featureShape, patchSize);
  checkPositionsWidth(width);
  const positions = once(() => sinusoidalPositions(grid.rows, grid.columns, width));
  const specs = parameterSpecs(config, grid, conditioning, form);

  const block = (x: Tensor, params: Symbolic<DitBlockParameters>, c: Tensor): Tensor => {
    const [shift, scale, gate, mlpShift, mlpScale, mlpGate] = modulations(params.modulation, c, 6);
    const { qkv, out } = params.attention;
    const [q, k, v] = split(linear(qkv, modulatedNorm(x, shift, scale)), [width, width, width]);
    const y = add(x, mul(gate, linear(out, multiHeadAttention(q, k, v, { heads }))));
    return add(y, mul(mlpGate, geluMlp(params.mlp, modulatedNorm(y, mlpShift, mlpScale))));
  };

  const output = (x: Tensor, params: Symbolic<DitOutputParameters>, c: Tensor): Tensor => {
    const [shift, scale] = modulations(params.modulation, c, 2);
    return unpatchify(grid, linear(params.linear, modulatedNorm(x, shift, scale)));
  };

  const apply = (params: Symbolic<DitParameters>, inputs: VelocityInputs) => {
    const c = silu(condition(conditioning, form, params.condition, inputs));
    const start = add(embedPatches(params.patch, grid, inputs.z), constant(positions()));
    const run = (x: Tensor, blocks: readonly Symbolic<DitBlockParameters>[]) =>
      blocks.reduce((y, each) => block(y, each, c), x);
    const shared = depth - (velocityHead?.depth ?? 0);
    const trunk = run(start, params.blocks.slice(0, shared));
    const finish = (blocks: readonly Symbolic<DitBlockParameters>[], out: Symbolic<DitOutputParameters>) =>
      output(run(trunk, blocks), out, c);
    const u = finish(params.blocks.slice(shared), params.out);
    const head = params.velocityHead;
    return head === undefined ? { u } : { u, v: finish(head.blocks, head.out) };
  };

  return {
    config,
    featureShape,
    classCount: config.classCount,
    takesGuidance: config.guidance ?? false,
    hasVelocityHead: velocityHead !== undefined,
    specs,
    parameterCount: countParameters(specs),
    init: (key) => initialParameters(specs, key),
    apply,
  };
}

/** Xavier-uniform kernels, normal(0.02) embedders, and zero where the published network starts as the identity. */
function parameterSpecs(
  { width, depth, mlpRatio = 4, velocityHead }: DitConfig,
  grid: PatchGrid,
  conditioning: ConditioningConfig,
  form: ConditionForm,
): Described<DitParameters> {
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
    patch: patchEmbeddingParameters(grid, width, 'xavier'),
    condition: conditioningParameters(conditioning, form, { kind: 'normal', deviation: 0.02 }),
    blocks: blocks(depth),
    out: out(),
    ...(velocityHead === undefined
      ? {}
      : { velocityHead: { blocks: blocks(velocityHead.depth), out: out() } }),
  };
}
