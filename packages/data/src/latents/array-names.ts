/** Which arrays of a file are the latents or pictures, and which are labels: codes name them differently. */
import { DataError } from '@meanflow/core';
import { quoted } from '@meanflow/core/validation';

/** Which arrays of a file are meant. */
export interface LatentNames {
  /** Default: the one called `latents`, `moments`, `images`, `arr_0` or the like, or the only one that is no label. */
  readonly latents?: string;
  /** Default: the one called `labels`, `label`, `y`, `arr_1` or the like, if there is one. */
  readonly labels?: string;
}

const known = {
  latents: [
    'latents',
    'moments',
    'latent',
    'z',
    'x',
    'arr_0',
    'images',
    'image',
    'samples',
    'x_train',
    'data',
    'array',
  ],
  labels: ['labels', 'label', 'y', 'arr_1', 'classes', 'class', 'targets', 'y_train'],
} as const;

/** The names of the two among those that a file has. @throws {DataError} when there is none */
export function chooseArrays(
  available: readonly string[],
  names: LatentNames,
  source: string,
): { readonly latents: string; readonly labels: string | undefined } {
  const find = (wanted: readonly string[]): string | undefined =>
    wanted.find((name) => available.includes(name));
  const missing = (wanted: readonly string[]): DataError =>
    new DataError(
      `${source}: there is no array ${wanted.map((name) => quoted(name)).join(', ')}; it holds ` +
        `${available.map((name) => quoted(name)).join(', ') || 'none'} (latents.arrays in a configuration names them).`,
    );
  const labels = find(names.labels === undefined ? known.labels : [names.labels]);
  if (labels === undefined && names.labels !== undefined) throw missing([names.labels]);
  const others = available.filter((name) => name !== labels);
  const latents =
    names.latents === undefined
      ? (find(known.latents) ?? (others.length === 1 ? others[0] : undefined))
      : find([names.latents]);
  if (latents === undefined) throw missing(names.latents === undefined ? known.latents : [names.latents]);
  return { latents, labels };
}
