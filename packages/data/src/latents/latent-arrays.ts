/** Latents and labels among the arrays of a file, which codes name differently. */
import { DataError, type HostArray } from '@meanflow/core';
import { type LatentArrays } from './latent-dataset.js';

/** Which arrays of a file are meant. */
export interface LatentNames {
  /** Default: the one called `latents`, `moments`, `latent`, `z`, `x` or `arr_0`. */
  readonly latents?: string;
  /** Default: the one called `labels`, `label`, `y` or `arr_1`, if there is one. */
  readonly labels?: string;
}

const known = {
  latents: ['latents', 'moments', 'latent', 'z', 'x', 'arr_0'],
  labels: ['labels', 'label', 'y', 'arr_1'],
} as const;

/**
 * The latents of a file's arrays.
 *
 * @throws {DataError} when there is no array of such a name
 */
export function findLatents(
  arrays: Readonly<Record<string, HostArray>>,
  names: LatentNames,
  source: string,
): LatentArrays {
  const find = (what: keyof LatentNames): HostArray | undefined => {
    const wanted = names[what] === undefined ? known[what] : [names[what]];
    const found = wanted.find((name) => Object.hasOwn(arrays, name));
    if (found !== undefined) return arrays[found];
    if (what === 'labels' && names.labels === undefined) return undefined;
    throw new DataError(
      `${source}: there is no array ${wanted.join(', ')}; it holds ${Object.keys(arrays).join(', ') || 'none'}.`,
    );
  };
  const [latents, labels] = [find('latents'), find('labels')];
  return { latents: latents!, ...(labels === undefined ? {} : { labels }) };
}
