/**
 * `comparison.json` in a comparison's folder: what was asked for, so that a comparison that was interrupted can be gone on with as if
 * it had never stopped.
 */
import { join } from 'node:path';
import { DataError } from '@meanflow/core';
import { validate } from '@meanflow/core/validation';
import { z } from 'zod';
import { readConfigFile } from '../config/read-file.js';
import { comparisonConfigSchema, type ComparisonConfig } from '../config/schema.js';
import { withFileErrors, writeOutput } from '../files.js';
import type { RunChanges } from './comparison.js';
import { stat } from 'node:fs/promises';

const NAME = 'comparison.json';

/** What a comparison was asked to do. */
export interface ComparisonRequest {
  readonly config: ComparisonConfig;
  readonly changes: RunChanges;
  /** The command as it was given. */
  readonly command: string;
}

const schema = () =>
  z.strictObject({
    format: z.literal('meanflow-comparison-request'),
    version: z.literal(1),
    command: z.string(),
    config: comparisonConfigSchema(),
    changes: z.strictObject({
      steps: z.int().positive().optional(),
      batch: z.int().positive().optional(),
      evaluation: z.strictObject({ metrics: z.array(z.string()).min(1) }).optional(),
    }),
  });

/** Writes a comparison's request into its folder. */
export function saveRequest(folder: string, request: ComparisonRequest): Promise<void> {
  const content = { format: 'meanflow-comparison-request', version: 1, ...request };
  return writeOutput(join(folder, NAME), `${JSON.stringify(content, null, 2)}\n`);
}

/**
 * The request that a comparison's folder holds.
 *
 * @throws {DataError} when it holds none, or a damaged one
 */
export async function loadRequest(folder: string): Promise<ComparisonRequest> {
  const path = join(folder, NAME);
  const found = await withFileErrors(`"${path}" cannot be read`, () => stat(path).catch(ifMissing));
  if (found === undefined) {
    throw new DataError(
      `"${folder}" holds no comparison: there is no ${NAME} in it. "meanflow compare" begins one.`,
    );
  }
  return validate(schema(), await readConfigFile(path), path, DataError);
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}
