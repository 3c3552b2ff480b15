/** Whether a file of rows is still the one that a run was trained on, known by the SHA-256 of its bytes. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { DataError } from '@meanflow/core';
import { datasets } from '@meanflow/data';
import type { RunConfig } from '../config/schema.js';
import { withFileErrors } from '../files.js';

/** How much of a digest a message shows. */
const SHOWN = 16;

/** Of a file's bytes; undefined for a data set with a name, which cannot change. */
export async function digestOf(data: string): Promise<string | undefined> {
  if (datasets.some(({ name }) => name === data)) return undefined;
  const bytes = await withFileErrors(`"${data}" cannot be read`, () => readFile(data));
  return createHash('sha256').update(bytes).digest('hex');
}

/** @throws {DataError} when the file has changed since the run began; a run that recorded no digest is taken at its word */
export async function checkDigest({ data, digest: recorded }: RunConfig): Promise<void> {
  if (recorded === undefined) return;
  const found = await digestOf(data);
  if (found === recorded) return;
  throw new DataError(
    `"${data}" has changed since the run began: its SHA-256 is ${found?.slice(0, SHOWN)}…, the run was trained on ` +
      `${recorded.slice(0, SHOWN)}…. Put the former file back, or train anew on this one: \`meanflow train --config\` with the ` +
      "run's config.json takes the file as it is.",
  );
}
