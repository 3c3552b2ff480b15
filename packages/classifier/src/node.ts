/** `@meanflow/classifier/node`: a classifier that is trained once and kept in a file. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { DataError, HostArray, RandomKey } from '@meanflow/core';
import { leading } from '@meanflow/core/validation';
import { fileAccess } from '@meanflow/formats/node';
import { makeDirectory, writeFileAtomically } from '@meanflow/training/node';
import type { ClassifierModel } from './classifier.js';
import { encodeClassifier, readClassifier } from './file.js';
import {
  classifierRequest,
  trainClassifier,
  type ClassifierTrainingOptions,
  type LabelledSource,
} from './train.js';

/**
 * Reads a classifier.
 *
 * @throws {DataError} when the file cannot be read, is damaged, or is no classifier
 */
export async function loadClassifier(path: string): Promise<ClassifierModel> {
  return readClassifier(await fileAccess(path));
}

/** Writes a classifier, whole or not at all. @throws {DataError} when it cannot be written */
export async function saveClassifier(path: string, model: ClassifierModel): Promise<void> {
  // What is wrong with the folder, the writing tells.
  await makeDirectory(dirname(path)).catch(() => undefined);
  await writeFileAtomically(path, [encodeClassifier(model)]);
}

/** Images of each split that a fingerprint looks at. */
const LOOKED_AT = 512;

/**
 * A SHA-256 that tells data apart beyond their name: of some images of each split with their classes, so that another
 * split or size, other rows, and a change of how images are drawn all show. How images lie in memory does not.
 *
 * @param digest of the whole of the data's files, where there are such: rows that are not looked at count too then
 * @returns 64 hexadecimal digits
 */
export function dataFingerprint(data: LabelledSource, digest = ''): string {
  const key = RandomKey.fromSeed(0).fold('fingerprint');
  const hash = createHash('sha256');
  hash.update(JSON.stringify([digest, data.imageShape, data.classCount]));
  for (const split of ['train', 'test'] as const) {
    const { x, label } = data.reference(split, key, LOOKED_AT);
    for (const array of [channelsLast(x, data), label]) {
      if (array === undefined) continue;
      hash.update(JSON.stringify(array.shape));
      hash.update(new Uint8Array(array.data.buffer, array.data.byteOffset, array.data.byteLength));
    }
  }
  return hash.digest('hex');
}

/** `[count, height, width, channels]` of images in any layout. */
function channelsLast(
  images: HostArray<'float32'>,
  { featureShape, imageShape }: LabelledSource,
): HostArray<'float32'> {
  if (imageShape === undefined) return images;
  const [height, width, channels] = leading(imageShape, 3);
  const shape = [images.shape[0]!, height, width, channels];
  const isFirst = featureShape.length === 3 && featureShape.join() !== imageShape.join();
  if (!isFirst) return images.reshape(shape);
  const data = new Float32Array(images.size);
  const plane = height * width;
  for (let at = 0; at < data.length; at++) {
    const [image, rest] = [Math.floor(at / (plane * channels)), at % (plane * channels)];
    data[at] =
      images.data[image * plane * channels + (rest % channels) * plane + Math.floor(rest / channels)]!;
  }
  return new HostArray('float32', shape, data);
}

/**
 * The classifier of a file if there is one, else one that is trained and then kept there.
 *
 * @returns undefined when the signal stopped the training
 * @throws {DataError} when the file is damaged, or holds a classifier that was trained otherwise
 * @throws as `trainClassifier`
 */
export async function cachedClassifier(
  path: string,
  options: ClassifierTrainingOptions,
): Promise<ClassifierModel | undefined> {
  const request = classifierRequest(options);
  if (existsSync(path)) {
    const model = await loadClassifier(path);
    const { params: _, heldOutAccuracy: _accuracy, ...facts } = model;
    const [found, wanted] = [facts, request].map((value) => JSON.stringify(sorted(value)));
    if (found === wanted) return model;
    throw new DataError(
      `${path} holds another classifier than the one asked for: ${found}, expected ${wanted}. ` +
        'Remove it, or keep the new one elsewhere.',
    );
  }
  const model = await trainClassifier(options);
  if (model !== undefined) await saveClassifier(path, model);
  return model;
}

/** The same with the keys of every object in order. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
