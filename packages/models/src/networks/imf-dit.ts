/**
 * The network of improved MeanFlow (Geng et al., "Improved Mean Flows", arXiv 2512.02012): a transformer on patches of
 * latents with in-context conditioning, that sees h, the guidance scale and its interval and the class, but not t.
 */
import type { Symbolic } from '@meanflow/core';
import { validate } from '@meanflow/core/validation';
import type { VelocityInputs } from '@meanflow/samplers';
import * as z from 'zod';
import {
  embedPatches,
  patchEmbeddingParameters,
  patchGrid,
  unpatchify,
  type PatchEmbeddingParameters,
} from '../layers/patches.js';
import { checkRotaryWidth, rotaryTable } from '../layers/rotary.js';
import { transformerNames } from '../published/transformer-names.js';
import {
  inContextData,
  inContextFields,
  inContextRoles,
  inContextTransformer,
  type InContextParameters,
} from './in-context-transformer.js';
import { composeNetwork, type ConfiguredNetwork } from './network.js';
import type { NetworkDefinition } from './definition.js';

const settings = z.strictObject({ kind: z.literal('imf-dit'), ...inContextFields });
const schema = settings.extend(inContextData);

/** An iMF-DiT, as plain JSON. */
export type ImfDitConfig = z.input<typeof schema>;

export type ImfDitParameters = InContextParameters & { readonly patch: PatchEmbeddingParameters };

/**
 * An iMF-DiT.
 *
 * @throws {ArgumentError} when a field of `config` is out of range
 */
export function imfDit(config: ImfDitConfig): ConfiguredNetwork<ImfDitParameters, ImfDitConfig> {
  const full = validate(schema, config, 'imf-dit');
  const { featureShape, patchSize, width } = full;
  const grid = patchGrid(featureShape, patchSize);
  const transformer = inContextTransformer(full, {
    grid,
    learnedPositions: false,
    rotary: (prefix, headWidth) => rotaryTable(prefix + grid.rows * grid.columns, headWidth),
    checkHeadWidth: checkRotaryWidth,
  });
  const seen = { ...grid, channels: grid.channels + transformer.channels };
  const specs = { ...transformer.specs, patch: patchEmbeddingParameters(seen, width, 'xavier') };
  return composeNetwork(config, {
    takesGuidance: full.guidance,
    hasVelocityHead: full.velocityHead !== undefined,
    specs,
    apply: (params: Symbolic<ImfDitParameters>, inputs: VelocityInputs) => {
      const { u, v } = transformer.run(
        params,
        inputs,
        embedPatches(params.patch, seen, transformer.images(inputs)),
      );
      return { u: unpatchify(grid, u), ...(v === undefined ? {} : { v: unpatchify(grid, v) }) };
    },
  });
}

export const imfDitEntry: NetworkDefinition<ImfDitConfig> = {
  name: 'imf-dit',
  settings,
  create: imfDit,
  publishedNames: () => transformerNames['imf-dit'],
  roles: (config, facts) => inContextRoles(schema.parse(config), facts),
};
