/**
 * The network of pixel MeanFlow (Lu et al., "One-step Latent-free Image Generation with Pixel Mean Flows", arXiv
 * 2601.22158): improved MeanFlow's transformer on large patches of pixels, embedded through a bottleneck, with learned
 * positions and rotary ones in the plane. It predicts data x, and velocities follow from it.
 */
import { checkOptions, type Symbolic, type Tensor } from '@meanflow/core';
import { velocityFromData, type VelocityInputs } from '@meanflow/samplers';
import { linear, linearParameters, type LinearParameters } from '../layers/linear.js';
import { countParameters, initialParameters } from '../layers/parameters.js';
import {
  embedPatches,
  patchEmbeddingParameters,
  patchGrid,
  unpatchify,
  type PatchEmbeddingParameters,
} from '../layers/patches.js';
import { checkRotaryWidth, rotaryTable2d } from '../layers/rotary.js';
import {
  checkInContext,
  inContextFields,
  inContextTransformer,
  type InContextConfig,
  type InContextParameters,
} from './in-context-transformer.js';
import { checkCounts, checkNoiseScale, type ConfiguredNetwork } from './network.js';

/** A pMF-DiT, as plain JSON. */
export interface PmfDitConfig extends InContextConfig {
  readonly kind: 'pmf-dit';
  /** Width between pixels and tokens; 128 by default, and 256 for tokens wider than 1,024. */
  readonly bottleneck?: number;
  /** Standard deviation of z at t = 1; 1 by default. */
  readonly noiseScale?: number;
}

export type PmfDitParameters = InContextParameters & {
  readonly patch: {
    readonly reduce: PatchEmbeddingParameters;
    /** `[bottleneck, width]` */
    readonly expand: LinearParameters;
  };
};

/** Velocities (z − x) / t divide by this where t is smaller; a constant of the published code. */
const SMALLEST_TIME = 0.05;

/**
 * A pMF-DiT.
 *
 * @throws {ArgumentError} when a field of `config` is out of range
 */
export function pmfDit(config: PmfDitConfig): ConfiguredNetwork<PmfDitParameters, PmfDitConfig> {
  checkOptions<PmfDitConfig>('pmf-dit', config, {
    ...inContextFields,
    kind: true,
    bottleneck: true,
    noiseScale: true,
  });
  checkInContext(config);
  const { featureShape, patchSize, width, bottleneck = width > 1024 ? 256 : 128, noiseScale = 1 } = config;
  checkCounts({ bottleneck });
  checkNoiseScale(noiseScale);
  const grid = patchGrid(featureShape, patchSize);
  const transformer = inContextTransformer(config, {
    grid,
    learnedPositions: true,
    rotary: (prefix, headWidth) => rotaryTable2d({ prefix, ...grid }, headWidth),
    checkHeadWidth: (headWidth) => checkRotaryWidth(headWidth / 2),
  });
  const specs = {
    ...transformer.specs,
    patch: {
      reduce: patchEmbeddingParameters(grid, bottleneck, 'xavier'),
      expand: linearParameters(bottleneck, width, 'xavier'),
    },
  };
  return {
    config,
    featureShape,
    classCount: config.classCount,
    takesGuidance: config.guidance ?? true,
    hasVelocityHead: config.velocityHead !== undefined,
    noiseScale,
    smallestTime: SMALLEST_TIME,
    specs,
    parameterCount: countParameters(specs),
    init: (key) => initialParameters(specs, key),
    apply: (params: Symbolic<PmfDitParameters>, inputs: VelocityInputs) => {
      const { z, t } = inputs;
      const patches = linear(params.patch.expand, embedPatches(params.patch.reduce, grid, z));
      const { u, v } = transformer.run(params, inputs, patches);
      const velocity = (data: Tensor) => velocityFromData(z, unpatchify(grid, data), t, SMALLEST_TIME);
      return { u: velocity(u), ...(v === undefined ? {} : { v: velocity(v) }) };
    },
  };
}
