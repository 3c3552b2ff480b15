/**
 * Networks by name: the published ones of MeanFlow (`dit-b-4`; DiT of Peebles and Xie, 2023, table 1, and M of arXiv
 * 2505.13447, table 4), of improved MeanFlow (`imf-dit-b-2`; arXiv 2512.02012, table 5) and of pixel MeanFlow
 * (`pmf-dit-b-16`; arXiv 2601.22158), each as its checkpoints for sampling hold it and, with `-train`, with the velocity
 * head; the U-Net of CIFAR-10; and small DiTs for small images on a laptop, to which `classCount`, `velocityHead` or
 * `guidance` may be added.
 */
import { ArgumentError } from '@meanflow/core';
import { didYouMean } from '@meanflow/core/validation';
import type { NetworkConfig } from './registry.js';
import type { DitConfig } from './dit.js';
import type { ImfDitConfig } from './imf-dit.js';
import type { PmfDitConfig } from './pmf-dit.js';
import type { SongUNetConfig } from './song-unet-plan.js';

/** Latents of 256 × 256 pixels by the autoencoder of Stable Diffusion, and the classes of ImageNet. */
const latents = { featureShape: [32, 32, 4], classCount: 1000 } as const;

const meanFlowSizes = {
  s: { depth: 12, width: 384, heads: 6 },
  b: { depth: 12, width: 768, heads: 12 },
  m: { depth: 16, width: 1024, heads: 16 },
  l: { depth: 24, width: 1024, heads: 16 },
  xl: { depth: 28, width: 1152, heads: 16 },
} as const;

const improvedSizes = {
  b: { depth: 12, width: 768, heads: 12 },
  m: { depth: 24, width: 768, heads: 12 },
  l: { depth: 32, width: 1024, heads: 16 },
  xl: { depth: 48, width: 1024, heads: 16 },
} as const;

const pixelSizes = {
  b: { depth: 16, width: 768, heads: 12 },
  l: { depth: 32, width: 1024, heads: 16 },
  h: { depth: 48, width: 1280, heads: 16 },
} as const;

/** The noise of each (github.com/Lyy-iiis/pMF, configs/eval_config.yml, for H that of the branch hsdp), by patch size. */
const noiseScales = {
  b: { 16: 1, 32: 2 },
  l: { 16: 1, 32: 4 },
  h: { 16: 2, 32: 4 },
} as const;

/** Own blocks of each head. */
const headDepth = 8;

function* meanFlowNetworks(): Generator<[string, DitConfig]> {
  for (const [size, shape] of Object.entries(meanFlowSizes)) {
    for (const patchSize of [2, 4, 8]) yield [`dit-${size}-${patchSize}`, { kind: 'dit', ...latents, patchSize, ...shape }]; // prettier-ignore
  }
}

function* improvedNetworks(): Generator<[string, ImfDitConfig]> {
  for (const [size, shape] of Object.entries(improvedSizes)) {
    const config = { kind: 'imf-dit', ...latents, patchSize: 2, ...shape, headDepth } as const;
    yield [`imf-dit-${size}-2`, { ...config, velocityHead: { depth: 0 } }];
    yield [`imf-dit-${size}-2-train`, { ...config, velocityHead: { depth: headDepth } }];
  }
}

function* pixelNetworks(): Generator<[string, PmfDitConfig]> {
  for (const size of ['b', 'l', 'h'] as const) {
    for (const [patchSize, pixels] of [
      [16, 256],
      [32, 512],
    ] as const) {
      const name = `pmf-dit-${size}-${patchSize}`;
      const config = {
        kind: 'pmf-dit',
        featureShape: [pixels, pixels, 3],
        classCount: 1000,
        patchSize,
        ...pixelSizes[size],
        headDepth,
        noiseScale: noiseScales[size][patchSize],
      } as const;
      yield [name, config];
      yield [`${name}-train`, { ...config, velocityHead: { depth: headDepth } }];
    }
  }
}

/** DiTs for a laptop; trained by flow matching, MeanFlow or improved MeanFlow alike. */
const small = {
  'dit-tiny': { kind: 'dit', featureShape: [16, 16, 3], patchSize: 2, width: 128, depth: 4, heads: 4 },
  'dit-small': { kind: 'dit', featureShape: [16, 16, 3], patchSize: 2, width: 192, depth: 6, heads: 6 },
  'dit-small-32': { kind: 'dit', featureShape: [32, 32, 3], patchSize: 4, width: 256, depth: 8, heads: 8 },
} as const satisfies Readonly<Record<string, DitConfig>>;

/** The DDPM++ U-Net of MeanFlow on CIFAR-10 (arXiv 2505.13447, appendix A). */
const cifar10: SongUNetConfig = {
  kind: 'song-unet',
  featureShape: [3, 32, 32],
  channels: 128,
  channelMultipliers: [2, 2, 2],
  blocks: 4,
  attentionResolutions: [16],
  dropout: 0.2,
};

/** Configurations by name. */
export const networkPresets: Readonly<Record<string, NetworkConfig>> = Object.fromEntries([
  ...Object.entries(small),
  ['song-unet-cifar10', cifar10],
  ...meanFlowNetworks(),
  ...improvedNetworks(),
  ...pixelNetworks(),
]);

/** @throws {ArgumentError} when there is no preset of that name */
export function networkPreset(name: string): NetworkConfig {
  if (Object.hasOwn(networkPresets, name)) return networkPresets[name]!;
  throw new ArgumentError(
    `There is no network preset "${name}".${didYouMean(name, Object.keys(networkPresets))}`,
  );
}
