/**
 * Samples that were drawn already, to be judged: pictures in an array (.npz, .npy) or in a folder. Where an array's channels are
 * and what its black and white are is told from it, said, and asked for where it could be either.
 */
import { existsSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { DataError, HostArray, RandomKey } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { pictureShapeOf, samplesForm, type Dataset, type PictureRange } from '@meanflow/data';
import { openImages, readArrayFile } from '@meanflow/data/node';
import type { ImageSettings, LatentSettings } from '../config/data-schema.js';
import { exact } from '../config/exact.js';
import type { ImageFacts } from './extractor.js';
import type { SamplePiece } from './sample-stream.js';

/** Rows of a piece. */
const PIECE = 500;

/** Samples, and what was taken for granted in reading them. */
export interface SampleFile {
  readonly facts: ImageFacts;
  readonly notes: readonly string[];
  pieces(): AsyncIterable<SamplePiece>;
}

export interface SampleFileOptions {
  readonly latents: LatentSettings | undefined;
  readonly images: ImageSettings | undefined;
}

/** Whether a path is one of a file of an array of samples. */
export function isArrayFile(path: string): boolean {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  return !isFolder && ['.npz', '.npy'].includes(extname(path).toLowerCase());
}

/** Whether a path is one of samples, and not of a model: an array, or a folder that is no run. */
export function isSampleFile(path: string): boolean {
  if (isArrayFile(path)) return true;
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  return isFolder && !existsSync(join(path, 'config.json')) && !existsSync(join(path, 'checkpoints'));
}

/** @throws {DataError} when it is damaged, or holds no pictures, or ones that could be read in two ways */
export function openSamples(path: string, options: SampleFileOptions): Promise<SampleFile> {
  return isArrayFile(path) ? ofArray(path, options) : ofFolder(path, options);
}

const toSigned: Readonly<Record<PictureRange, (value: number) => number>> = {
  byte: (value) => value / 127.5 - 1,
  unit: (value) => 2 * value - 1,
  signed: (value) => value,
};

const rangeTexts: Readonly<Record<PictureRange, string>> = {
  byte: '0 to 255',
  unit: '0 to 1',
  signed: '−1 to 1',
};

async function ofArray(path: string, { latents }: SampleFileOptions): Promise<SampleFile> {
  const { arrays = {}, from, range: asked } = latents ?? {};
  const { latents: array, isInteger, name } = await readArrayFile(path, exact(arrays), undefined);
  const { layout, range } = samplesForm(array, isInteger, path, { layout: from, range: asked });
  const convert = toSigned[range];
  const featureShape = array.shape.slice(1);
  async function* pieces(): AsyncGenerator<SamplePiece> {
    const [count] = leading(array.shape, 1);
    for (let start = 0; start < count; start += PIECE) {
      const rows = array.rows(start, Math.min(count, start + PIECE));
      const data = Float32Array.from(rows.data, (value: number) => convert(value));
      yield { samples: new HostArray('float32', rows.shape, data), labels: undefined, nfe: undefined };
    }
  }
  return {
    facts: { name: path, featureShape, imageShape: pictureShapeOf(array.shape, layout) },
    notes: [
      `${path}: "${name}" holds pictures, channels ${layout === 'nchw' ? 'first' : 'last'}, from ${rangeTexts[range]} ` +
        '(--layout, --pixel-range say otherwise).',
    ],
    pieces,
  };
}

async function ofFolder(path: string, { images }: SampleFileOptions): Promise<SampleFile> {
  const dataset = await openImages({
    splits: 'none',
    ...exact(images ?? {}),
    kind: 'image-folder',
    path,
    classes: 'optional',
    heldOut: 0,
  });
  const damaged = dataset.damaged ?? [];
  return {
    facts: { name: path, featureShape: dataset.featureShape, imageShape: dataset.imageShape },
    notes: [...(dataset.notes ?? []), ...damaged].map((note) => `${path}: ${note}`),
    pieces: () => everyRow(dataset, path),
  };
}

/** Each image once. */
async function* everyRow(dataset: Dataset, path: string): AsyncGenerator<SamplePiece> {
  const count = dataset.sizes?.train;
  if (count === undefined) throw new DataError(`${path}: there are no images to judge.`);
  const size = Math.min(PIECE, count);
  const key = RandomKey.fromSeed(0);
  for (let step = 0; step * size < count; step++) {
    const { x } = dataset.batch(key, step, size);
    yield { samples: x.rows(0, Math.min(size, count - step * size)), labels: undefined, nfe: undefined };
  }
}
