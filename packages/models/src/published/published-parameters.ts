/** The published parameters of a network, by its configuration. */
import { ArgumentError, treePaths } from '@meanflow/core';
import { createNetwork, type NetworkConfig } from '../networks/create-network.js';
import type { ParameterSpec } from '../layers/parameters.js';
import type { PublishedParameter, PublishedSource } from './published-parameter.js';
import { songUNetNames } from './unet-names.js';
import { ditNames, transformerNames } from './transformer-names.js';

/** What the published code makes of one of our parameters. */
export type PublishedNames = (
  path: string,
  spec: ParameterSpec,
) => Omit<PublishedParameter, 'path' | 'ownShape'>;

/** Who published a network of each kind, and under which names. */
const published: Readonly<
  Partial<Record<NetworkConfig['kind'], Readonly<Partial<Record<PublishedSource, PublishedNames>>>>>
> = transformerNames;

function namesBySource(config: NetworkConfig): Readonly<Partial<Record<PublishedSource, PublishedNames>>> {
  if (config.kind === 'song-unet') return { torch: songUNetNames(config) };
  if (config.kind !== 'dit') return published[config.kind] ?? {};
  const { times = 't-and-h' } = config;
  if (times === 't-and-h' || times === 't-and-r') return ditNames[times];
  throw new ArgumentError(
    `MeanFlow's DiT sees t and h, or t and r; nobody published one with times: '${times}'.`,
  );
}

/**
 * Every parameter of a network, as published.
 *
 * @param source whose names; by default those of the JAX code, where there is such code
 * @throws {ArgumentError} when no such source published networks of this kind, or not with these options
 */
export function publishedParameters(
  config: NetworkConfig,
  source?: PublishedSource,
): readonly PublishedParameter[] {
  const sources = namesBySource(config);
  const chosen = source ?? (sources.jax === undefined && sources.torch !== undefined ? 'torch' : 'jax');
  const names = sources[chosen];
  if (names === undefined) {
    const known = Object.keys(sources).join(', ') || 'none';
    throw new ArgumentError(
      `No ${chosen} code was published for networks of kind "${config.kind}" (sources: ${known}).`,
    );
  }
  return treePaths<ParameterSpec>(createNetwork(config).specs).map(({ path, leaf }) => ({
    path,
    ownShape: leaf.shape,
    ...names(path, leaf),
  }));
}
