/**
 * Whether data is still what a run was trained on, known by SHA-256: of a file's bytes; of several files by name; of a folder of
 * images by every image's name, length and first bytes, because reading all of a large one takes hours, and an image that was
 * edited has another length or beginning.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DataError } from '@meanflow/core';
import { detectImages, scanFolder, type ImageDataConfig } from '@meanflow/data/node';
import type { ImageSettings, RunTask } from '../config/data-schema.js';
import { shortDigest } from '../config/digest.js';
import type { RunConfig } from '../config/schema.js';
import { withFileErrors } from '../files.js';
import { kindOf } from './open-data.js';

/** Bytes of each file of an image folder that are looked at. */
const FIRST_BYTES = 1 << 16;

/** Of a file's bytes, or of the files of a folder; undefined for a data set with a name, which cannot change. */
export async function digestOf(
  data: string,
  { followLinks = false }: Pick<ImageSettings, 'followLinks'> = {},
): Promise<string | undefined> {
  if (kindOf(data) === 'named') return undefined;
  const hash = createHash('sha256');
  const images = detectImages(data);
  await withFileErrors(`"${data}" cannot be read`, async () => {
    if (images?.kind === 'image-folder') return addFolder(hash, data, followLinks);
    const files = images === undefined ? [data] : await filesOf(images);
    for (const file of files) {
      if (files.length > 1) hash.update(`${basename(file)}\n`);
      for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
    }
  });
  return hash.digest('hex');
}

async function filesOf(config: ImageDataConfig): Promise<string[]> {
  if (config.kind === 'idx') {
    const { images, labels, testImages, testLabels, classNames } = config;
    return [images, labels, testImages, testLabels, classNames].filter((file) => file !== undefined);
  }
  if (config.kind === 'latents') return [config.path];
  if (config.kind === 'shapes') return [];
  const names = (await readdir(config.path)).filter((name) => /\.(bin|txt)$/.test(name));
  return names.sort().map((name) => join(config.path, name));
}

async function addFolder(hash: Hash, folder: string, followLinks: boolean): Promise<void> {
  const buffer = new Uint8Array(FIRST_BYTES);
  const { images } = await scanFolder(folder, { followLinks });
  for (const file of images) {
    const handle = await open(join(folder, file), 'r');
    try {
      const [{ size }, { bytesRead }] = [await handle.stat(), await handle.read(buffer, 0, FIRST_BYTES, 0)];
      hash.update(`${file}\n${size}\n`).update(buffer.subarray(0, bytesRead));
    } finally {
      await handle.close();
    }
  }
}

/** A task with the digests of the images that are given beside the data. */
export async function withDigests(task: RunTask): Promise<RunTask> {
  if (task.kind !== 'beside') return task;
  const found = Object.entries(task.images).map(async ([name, path]) => [name, (await digestOf(path)) ?? '']);
  return { ...task, digests: Object.fromEntries(await Promise.all(found)) as Record<string, string> };
}

/** @throws {DataError} when the data has changed since the run began; a run that recorded no digest is taken at its word */
export async function checkDigest({ data, images, digest: recorded, task }: RunConfig): Promise<void> {
  if (task?.kind === 'beside') await checkBeside(task);
  if (recorded === undefined) return;
  const found = await digestOf(data, images);
  if (found === recorded) return;
  throw new DataError(
    `"${data}" has changed since the run began: its SHA-256 is ${shortDigest(found)}, the run was trained on ` +
      `${shortDigest(recorded)}. Put the former ${kindOf(data) === 'image-folder' ? 'images' : 'file'} back, or train anew on ` +
      "this: `meanflow train --config` with the run's config.json takes the data as it is.",
  );
}

async function checkBeside({ images, digests = {} }: Extract<RunTask, { kind: 'beside' }>): Promise<void> {
  for (const [name, path] of Object.entries(images)) {
    const [recorded, found] = [digests[name], await digestOf(path)];
    if (recorded === undefined || found === recorded) continue;
    throw new DataError(
      `"${path}", the condition "${name}", has changed since the run began: its SHA-256 is ${shortDigest(found)}, the run was ` +
        `trained on ${shortDigest(recorded)}. Put the former images back, or train anew on these.`,
    );
  }
}
