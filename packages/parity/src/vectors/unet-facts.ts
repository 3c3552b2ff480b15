/** The case `unet-params`, and what `facts` says of the U-Net of CIFAR-10: names, shapes, buffers and counts. */
import { DataError } from '@meanflow/core';
import { networkPreset, type SongUNetConfig } from '@meanflow/models';
import { publishedBuffers, type PublishedBuffer } from '@meanflow/models/published';
import { compareCount, compareNames, namedShapes } from './compare-names.js';
import { compareTensor } from './compare-outputs.js';
import { at, numberOf, tensorOf, type ParityRunner } from './parity-case.js';
import type { FactReader } from './fact-reader.js';
import { unetConfig, unetNames, withoutPrefix } from './unet-network.js';

/** Names and shapes in a file of parameters and buffers, their count, and what the buffers hold. */
export const unetParameters: ParityRunner = async (given) => {
  const config = unetConfig(given);
  const [parameters, buffers] = [unetNames(config), unetBuffers(config)];
  const listed = namedShapes(`${given.name}.json: "shapes"`, at(given.facts, ['shapes']));
  const stored = new Map(Object.entries(given.tensors).map(([name, { shape }]) => [name, shape]));
  return [
    compareCount('param_count', parameters, numberOf(given, 'param_count')),
    compareNames('shapes', [...parameters, ...buffers], listed),
    compareNames('tensors', [...parameters, ...buffers], stored),
    ...buffers.map(({ name, value }) =>
      compareTensor(name, value, tensorOf(given, name), undefined, { relative: 2 ** -24 }),
    ),
  ];
};

/** The number of parameters with augmentation labels of so many columns. */
export const unetCounts: FactReader = {
  pattern: /^CIFAR SongUNet\b.*\baugment_dim=(\d+)/,
  compare: ({ input, 1: columns }, entries) => {
    const count = entries[input];
    if (typeof count !== 'number') throw new DataError(`facts.json: "counts.${input}" must be a number.`);
    return [compareCount(input, unetNames(cifar10(Number(columns))), count)];
  },
};

/** Names and shapes of its parameters, and of its buffers. */
export const unetNameLists: FactReader = {
  pattern: /^SongUNet CIFAR (?:aug(\d+) params|buffers)/,
  compare: ({ input, 1: columns }, entries) => {
    const published = namedShapes(`facts.json: "names.${input}"`, entries[input]);
    const ours = columns === undefined ? unetBuffers(cifar10(0)) : unetNames(cifar10(Number(columns)));
    return [compareNames(input, ours, published)];
  },
};

function cifar10(augmentWidth: number): SongUNetConfig {
  const plain = networkPreset('song-unet-cifar10') as SongUNetConfig;
  return augmentWidth === 0 ? plain : { ...plain, augmentWidth };
}

/** The buffers as cases write them. */
function unetBuffers(config: SongUNetConfig): readonly PublishedBuffer[] {
  return publishedBuffers(config).map((buffer) => ({ ...buffer, name: withoutPrefix(buffer.name) }));
}
