/** The published parameters and constants of a network, by its configuration. */
import { ArgumentError, treePaths } from '@meanflow/core';
import type { ParameterSpec } from '../layers/parameters.js';
import { createNetwork, networks, type NetworkConfig } from '../networks/registry.js';
import type { PublishedBuffer, PublishedParameter, PublishedSource } from './published-parameter.js';

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
  const sources = networks.get(config.kind).publishedNames?.(config) ?? {};
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

/** Every constant of a network, under the names that its parameters have in PyTorch and, where there is such code, in JAX. */
export function publishedBuffers(config: NetworkConfig): readonly PublishedBuffer[] {
  return networks.get(config.kind).publishedBuffers?.(config) ?? [];
}

/** Whether Muon can train networks of a kind: some of their parameters are known to be matrices. */
export function hasMatrices(kind: string): boolean {
  const { matrices, publishedNames } = networks.get(kind);
  return matrices !== undefined || publishedNames !== undefined;
}

/**
 * The paths of the parameters that are matrices for Muon: those that are so in the published code, where tokens, positions and
 * classes have a batch axis.
 *
 * @throws {ArgumentError} when nobody published networks of this kind, and the network does not say which are
 */
export function matrixPaths(config: NetworkConfig): readonly string[] {
  const own = networks.get(config.kind).matrices?.(config);
  if (own !== undefined) return own;
  return publishedParameters(config).flatMap(({ path, shape }) => (shape.length === 2 ? [path] : []));
}
