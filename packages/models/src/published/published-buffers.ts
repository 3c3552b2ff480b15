/**
 * Constants of a network that published code keeps beside its parameters. A checkpoint that carries one was trained with what
 * it holds, so that an importer compares it with what the network computes here.
 */
import type { HostArray, Shape } from '@meanflow/core';
import { patchGrid } from '../layers/patches.js';
import { sinusoidalPositions } from '../layers/positions.js';
import type { NetworkConfig } from '../networks/create-network.js';
import { songUNetBuffers } from './unet-names.js';

export interface PublishedBuffer {
  readonly name: string;
  readonly shape: Shape;
  /** What it holds, whatever the parameters are. */
  readonly value: HostArray<'float32'>;
  /** What it is, for people. */
  readonly meaning: string;
}

/** Every such constant of a network, under the names that its parameters have in PyTorch and, where there is such code, in JAX. */
export function publishedBuffers(config: NetworkConfig): readonly PublishedBuffer[] {
  if (config.kind === 'song-unet') return songUNetBuffers(config);
  if (config.kind !== 'dit') return [];
  const grid = patchGrid(config.featureShape, config.patchSize);
  const positions = sinusoidalPositions(grid.rows, grid.columns, config.width).to('float32');
  const shape = [1, ...positions.shape];
  return [
    {
      name: 'pos_embed',
      shape,
      value: positions.reshape(shape),
      meaning: 'the positions of patches (sines and cosines of column and row)',
    },
  ];
}
