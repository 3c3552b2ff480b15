/**
 * The network of improved MeanFlow (Geng et al., "Improved Mean Flows", arXiv 2512.02012): a transformer on patches of
 * latents with in-context conditioning, that sees h, the guidance scale and its interval and the class, but not t.
 */
import { checkOptions, type Symbolic } from '@meanflow/core';
import type { VelocityInputs } from '@meanflow/samplers';
import { countParameters, initialParameters } from '../layers/parameters.js';
import {
  embedPatches,
  patchEmbeddingParameters,
  patchGrid,
  unpatchify,
  type PatchEmbeddingParameters,
} from '../layers/patches.js';
import { checkRotaryWidth, rotaryTable } from '../layers/rotary.js';
import {
  checkInContext,
  inContextFields,
  inContextTransformer,
  type InContextConfig,
  type InContextParameters,
} from './in-context-transformer.js';
import type { ConfiguredNetwork } from './network.js';

/** An iMF-DiT, as plain JSON. */
export interface ImfDitConfig extends InContextConfig {
  readonly kind: 'imf-dit';
}

export type ImfDitParameters = InContextParameters & { readonly patch: PatchEmbeddingParameters };

/**
 * An iMF-DiT.
 *
 * @throws {ArgumentError} when a field of `config` is out of range
 */
export function imfDit(config: ImfDitConfig): ConfiguredNetwork<ImfDitParameters, ImfDitConfig> {
  checkOptions<ImfDitConfig>('imf-dit', config, { ...inContextFields, kind: true });
  checkInContext(config);
  const { featureShape, patchSize, width } = config;
  const grid = patchGrid(featureShape, patchSize);
  const transformer = inContextTransformer(config, {
    grid,
    learnedPositions: false,
    rotary: (prefix, headWidth) => rotaryTable(prefix + grid.rows * grid.columns, headWidth),
    checkHeadWidth: checkRotaryWidth,
  });
  const specs = { ...transformer.specs, patch: patchEmbeddingParameters(grid, width, 'xavier') };
  return {
    config,
    featureShape,
    classCount: config.classCount,
    takesGuidance: config.guidance ?? true,
    hasVelocityHead: config.velocityHead !== undefined,
    specs,
    parameterCount: countParameters(specs),
    init: (key) => initialParameters(specs, key),
    apply: (params: Symbolic<ImfDitParameters>, inputs: VelocityInputs) => {
      const { u, v } = transformer.run(params, inputs, embedPatches(params.patch, grid, inputs.z));
      return { u: unpatchify(grid, u), ...(v === undefined ? {} : { v: unpatchify(grid, v) }) };
    },
  };
}
