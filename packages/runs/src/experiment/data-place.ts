/**
 * Where the data of a run lie: as they were named, by their whole path, and as seen from the run's folder, so that a run finds them
 * from another working folder, and after both were moved together. Where they are elsewhere they can be named again; that they are
 * the same is known by their digest, not by their place.
 */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { ArgumentError, DataError } from '@meanflow/core';
import { readRunConfig } from '@meanflow/training/node';
import { shortDigest } from '../config/digest.js';
import { checkSavedRun, type RunConfig } from '../config/schema.js';
import { digestOf } from './data-digest.js';
import { kindOf } from './open-data.js';

/** The configuration of a run in a folder, with the places of its data. Data with a name have none. */
export function withPlaces(config: RunConfig, folder: string): RunConfig {
  const { dataPaths: _, ...rest } = config;
  if (kindOf(config.data) === 'named') return rest;
  return {
    ...rest,
    dataPaths: { absolute: resolve(config.data), fromRun: relative(resolve(folder), resolve(config.data)) },
  };
}

/** The folder of the run that a checkpoint belongs to, if it lies in one as runs lay them. */
async function runFolderOf(path: string): Promise<string> {
  if ((await stat(path)).isDirectory()) return path;
  const folder = dirname(path);
  return basename(folder) === 'checkpoints' ? dirname(folder) : folder;
}

/** A checkpoint's configuration, with the places that the run's folder tells, where there is one. */
export async function withPlacesOfRun(config: RunConfig, path: string): Promise<RunConfig> {
  const folder = await runFolderOf(path);
  if (!existsSync(join(folder, 'config.json'))) return config;
  const found = checkSavedRun(await readRunConfig(folder), join(folder, 'config.json'));
  const isSame = found.digest === config.digest && found.dataPaths !== undefined;
  return isSame ? { ...config, data: found.data, dataPaths: found.dataPaths } : config;
}

/**
 * The configuration with its data as they can be opened from here.
 *
 * @param run the run's folder, or a checkpoint in it
 * @param given another path to the same data, where somebody says one
 * @throws {ArgumentError} when other data are given, which a run does not take
 * @throws {DataError} when the data are nowhere
 */
export async function located(config: RunConfig, run: string, given?: string): Promise<RunConfig> {
  const { data, digest, dataPaths } = config;
  if (given !== undefined) {
    if (given !== data && (kindOf(data) === 'named' || kindOf(given) === 'named')) {
      throw new ArgumentError(
        `--data: the run was trained on "${data}", and keeps its data: "${given}" is not that.`,
      );
    }
    const found = await digestOf(given, config.images);
    if (digest !== undefined && found !== digest) {
      throw new DataError(
        `--data: "${given}" is not what the run was trained on: its SHA-256 is ${shortDigest(found)}, that of "${data}" was ` +
          `${shortDigest(digest)}. A run takes its data from another place, but no other data.`,
      );
    }
    return { ...config, data: given };
  }
  if (dataPaths === undefined || kindOf(data) === 'named') return config;
  const folder = await runFolderOf(run);
  const places = [data, dataPaths.absolute, join(folder, dataPaths.fromRun)];
  // Of several ways to one place, the one that somebody wrote.
  const found = places.filter(
    (place, i) => existsSync(place) && places.findIndex((other) => resolve(other) === resolve(place)) === i,
  );
  if (found.length === 0) {
    throw new DataError(
      `The data of the run are not where they were: neither "${data}" from here nor "${dataPaths.absolute}" is there, nor ` +
        `"${dataPaths.fromRun}" beside the run. Say where they are with --data.`,
    );
  }
  for (const place of found.length === 1 ? [] : found) {
    if ((await digestOf(place, config.images)) === digest) return { ...config, data: place };
  }
  return { ...config, data: found[0]! };
}
