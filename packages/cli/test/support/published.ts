/** Tiny networks in the form of published checkpoints, with random weights. */
import { writeFile } from 'node:fs/promises';
import { RandomKey, sizeOf, type HostArray, type Shape } from '@meanflow/core';
import { encodeSafetensors } from '@meanflow/formats';
import { sdVaeDecoder, type NetworkConfig } from '@meanflow/models';
import { publishedParameters, publishedSdVaeParameters } from '@meanflow/models/published';

const transformer = { patchSize: 2, width: 8, heads: 2, classCount: 3 } as const;
const inContext = { ...transformer, depth: 2, headDepth: 1, velocityHead: { depth: 0 } } as const;

export const networks = {
  'imf-dit': { kind: 'imf-dit', featureShape: [4, 4, 4], ...inContext },
  'pmf-dit': {
    kind: 'pmf-dit',
    featureShape: [8, 8, 3],
    ...{ ...transformer, depth: 2, headDepth: 1, bottleneck: 4, noiseScale: 2 },
  },
  dit: { kind: 'dit', featureShape: [4, 4, 4], ...transformer, depth: 1 },
  'song-unet': {
    kind: 'song-unet',
    featureShape: [3, 4, 4],
    ...{ channels: 4, channelMultipliers: [1, 1], blocks: 1, attentionResolutions: [] },
  },
} as const satisfies Readonly<Record<string, NetworkConfig>>;

/** Half an autoencoder of latents [h, w, 4] and images [2h, 2w, 3]. */
export const tinyVae = { half: 'decoder', channels: [4, 8], blocks: 1, groups: 2 } as const;

/** Writes weights below a key, as a safetensors file of published names. */
export async function writePublished(
  path: string,
  parameters: readonly { readonly name: string; readonly shape: Shape }[],
  prefix = '',
  seed = 0,
): Promise<string> {
  const key = RandomKey.fromSeed(seed);
  const tensors = parameters.map(({ name, shape }, i): [string, HostArray] => {
    const values = key.fold(i).normal([sizeOf(shape)]);
    values.data.forEach((value, at) => (values.data[at] = 0.3 * value));
    return [prefix + name, values.reshape(shape)];
  });
  await writeFile(path, encodeSafetensors(Object.fromEntries(tensors), {}));
  return path;
}

export function writeNetwork(path: string, config: NetworkConfig): Promise<string> {
  const source = config.kind === 'song-unet' ? 'torch' : 'jax';
  return writePublished(path, publishedParameters(config, source), 'ema_params/');
}

export function writeDecoder(path: string): Promise<string> {
  const { half, ...config } = tinyVae;
  return writePublished(path, publishedSdVaeParameters(half, sdVaeDecoder(config)), '', 1);
}
