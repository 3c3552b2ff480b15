/**
 * The folder of a comparison's run: a new one, or one that an interrupted comparison left, to be gone on with. What decides the
 * training must be as it was; how often it is logged and how it is judged may have changed since.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { DataError } from '@meanflow/core';
import type { JsonObject } from '@meanflow/formats';
import type { MetricsRecord } from '@meanflow/training';
import { readRunConfig, RunDirectory } from '@meanflow/training/node';
import { checkSavedRun, type RunConfig } from '../config/schema.js';
import { withPlaces } from './data-place.js';
import { incidental } from './same-run.js';

/** Where data lie. */
const places = ['data', 'dataPaths'] as const satisfies readonly (keyof RunConfig)[];

/**
 * Makes the run's folder, or opens the one that is there.
 *
 * @throws {DataError} when it cannot be written, is in use, or holds another run
 */
export async function openRunFolder(path: string, config: RunConfig): Promise<RunDirectory> {
  const wanted = asJson(withPlaces(config, path));
  if (!existsSync(join(path, 'config.json'))) return RunDirectory.create(path, wanted);
  const source = join(path, 'config.json');
  const found = asJson(checkSavedRun(await readRunConfig(path), source));
  const isSameData = found.digest !== undefined && found.digest === wanted.digest;
  const differing = Object.keys({ ...wanted, ...found }).filter(
    (name) =>
      !incidental.some((other) => other === name) &&
      // What the data are is known by their digest.
      !(places.some((place) => place === name) && isSameData) &&
      // Runs of earlier versions did not record it.
      !(name === 'reading' && found[name] === undefined) &&
      !isDeepStrictEqual(wanted[name], found[name]),
  );
  if (differing.length > 0) {
    throw new DataError(
      `"${path}" holds a run with another ${differing.join(', ')} than this comparison. Begin a new one with --out.`,
    );
  }
  return RunDirectory.resume(path, wanted);
}

/** Seconds that a run's steps took, as its log tells: of a run that was made in several parts. */
export function loggedSeconds(metrics: readonly MetricsRecord[], batch: number): number {
  let seconds = 0;
  metrics.forEach(({ step, samplesPerSecond = 0 }, i) => {
    const steps = step - (metrics[i - 1]?.step ?? 0);
    if (samplesPerSecond > 0) seconds += (steps * batch) / samplesPerSecond;
  });
  return seconds;
}

/** Through text, which leaves out what is undefined. */
function asJson(config: RunConfig): JsonObject {
  return JSON.parse(JSON.stringify(config)) as JsonObject;
}
