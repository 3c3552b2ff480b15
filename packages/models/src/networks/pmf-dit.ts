/**
 * The network of pixel MeanFlow (Lu et al., "One-step Latent-free Image Generation with Pixel Mean Flows", arXiv
 * 2601.22158): improved MeanFlow's transformer on large patches of pixels, embedded through a bottleneck, with learned
 * positions and rotary ones in the plane. It predicts data x, and velocities follow from it.
 */
import type { Symbolic, Tensor } from '@meanflow/core';
import { validate } from '@meanflow/core/validation';
import { velocityFromData, type VelocityInputs } from '@meanflow/samplers';
import * as z from 'zod';
import { linear, linearParameters, type LinearParameters } from '../layers/linear.js';
import {
  embedPatches,
  patchEmbeddingParameters,
  patchGrid,
  unpatchify,
  type PatchEmbeddingParameters,
} from '../layers/patches.js';
import { checkRotaryWidth, rotaryTable2d } from '../layers/rotary.js';
import { transformerNames } from '../published/transformer-names.js';
import { count } from './fields.js';
import {
  inContextData,
  inContextFields,
  inContextRoles,
  inContextTransformer,
  type InContextParameters,
} from './in-context-transformer.js';
import { composeNetwork, type ConfiguredNetwork } from './network.js';
import type { NetworkDefinition } from './definition.js';

const settings = z.strictObject({
  kind: z.literal('pmf-dit'),
  ...inContextFields,
  bottleneck: count
    .optional()
    .describe('Width between pixels and tokens; 128 by default, and 256 for tokens wider than 1,024.'),
  noiseScale: z.number().positive().default(1).describe('Standard deviation of z at t = 1.'),
});
const schema = settings.extend(inContextData);

/** A pMF-DiT, as plain JSON. */
export type PmfDitConfig = z.input<typeof schema>;

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
  const full = validate(schema, config, 'pmf-dit');
  const { featureShape, patchSize, width, bottleneck = width > 1024 ? 256 : 128, noiseScale } = full;
  const grid = patchGrid(featureShape, patchSize);
  const transformer = inContextTransformer(full, {
    grid,
    learnedPositions: true,
    rotary: (prefix, headWidth) => rotaryTable2d({ prefix, ...grid }, headWidth),
    checkHeadWidth: (headWidth) => checkRotaryWidth(headWidth / 2),
  });
  const seen = { ...grid, channels: grid.channels + transformer.channels };
  const specs = {
    ...transformer.specs,
    patch: {
      reduce: patchEmbeddingParameters(seen, bottleneck, 'xavier'),
      expand: linearParameters(bottleneck, width, 'xavier'),
    },
  };
  return composeNetwork(config, {
    takesGuidance: full.guidance,
    hasVelocityHead: full.velocityHead !== undefined,
    noiseScale,
    smallestTime: SMALLEST_TIME,
    specs,
    apply: (params: Symbolic<PmfDitParameters>, inputs: VelocityInputs) => {
      const { z, t } = inputs;
      const patches = linear(
        params.patch.expand,
        embedPatches(params.patch.reduce, seen, transformer.images(inputs)),
      );
      const { u, v } = transformer.run(params, inputs, patches);
      const velocity = (data: Tensor) => velocityFromData(z, unpatchify(grid, data), t, SMALLEST_TIME);
      return { u: velocity(u), ...(v === undefined ? {} : { v: velocity(v) }) };
    },
  });
}

export const pmfDitEntry: NetworkDefinition<PmfDitConfig> = {
  name: 'pmf-dit',
  settings,
  create: pmfDit,
  publishedNames: () => transformerNames['pmf-dit'],
  roles: (config, facts) => inContextRoles(schema.parse(config), facts),
};
