/**
 * `comparison.json` in a comparison's folder: what was asked for, so that a comparison that was interrupted can be gone on with as if
 * it had never stopped.
 */
import { join } from 'node:path';
import { DataError } from '@meanflow/core';
import { validate } from '@meanflow/core/validation';
import { z } from 'zod';
import { backends } from '../backends.js';
import { layersOf } from '../config/layers.js';
import { readConfigFile } from '../config/read-file.js';
import { comparisonConfigSchema, type ComparisonConfig, type RunSettings } from '../config/schema.js';
import { withFileErrors, writeOutput } from '../files.js';
import { changedPlugins, checkRecords, pluginRecordSchema, type PluginRecord } from '../plugins/recorded.js';
import type { RunChange } from './comparison.js';
import { stat } from 'node:fs/promises';

const NAME = 'comparison.json';

/** What a comparison was asked to do. */
export interface ComparisonRequest {
  readonly config: ComparisonConfig;
  /** Over the recipes: of all runs, or by data set and method. */
  readonly changes: RunSettings | readonly RunChange[];
  /** The command as it was given. */
  readonly command: string;
  /** The plug-ins whose entries its runs use, recorded by the comparison itself; never loaded because they stand here. */
  readonly plugins?: readonly PluginRecord[] | undefined;
}

/** Fields of a run: what they may be is checked when the runs are resolved. */
const record = z.record(z.string(), z.unknown());
const change = z.strictObject({ data: z.string().optional(), method: z.string().optional(), record });

/** Comparisons that began before a change could be meant for some of the runs have one for all. */
const schema = () =>
  z.strictObject({
    format: z.literal('meanflow-comparison-request'),
    version: z.literal(1),
    command: z.string(),
    plugins: z.array(pluginRecordSchema).optional(),
    config: comparisonConfigSchema(),
    changes: z.union([record, z.array(change)]),
  });

/** Writes a comparison's request into its folder. */
export function saveRequest(folder: string, request: ComparisonRequest): Promise<void> {
  const changes = layersOf(request.changes, NAME).map(({ source: _, ...change }) => change);
  const content = { format: 'meanflow-comparison-request', version: 1, ...request, changes };
  return writeOutput(join(folder, NAME), `${JSON.stringify(content, null, 2)}\n`);
}

export interface LoadRequestOptions {
  /** What to compute on in place of what it was begun with. */
  readonly backend?: string | undefined;
  /** Told, in a sentence, of a plug-in that has changed. */
  readonly notify?: ((sentence: string) => void) | undefined;
}

/**
 * The request that a comparison's folder holds.
 *
 * @throws {DataError} when it holds none, or a damaged one
 * @throws {ArgumentError} when it uses entries of a plug-in that is not loaded
 */
export async function loadRequest(
  folder: string,
  { backend, notify }: LoadRequestOptions = {},
): Promise<ComparisonRequest> {
  const path = join(folder, NAME);
  const found = await withFileErrors(`"${path}" cannot be read`, () => stat(path).catch(ifMissing));
  if (found === undefined) {
    throw new DataError(
      `"${folder}" holds no comparison: there is no ${NAME} in it. "meanflow compare" begins one.`,
    );
  }
  const saved = await readConfigFile(path);
  checkRecords(saved, path, { backends }, backend === undefined ? [] : ['backends']);
  for (const sentence of changedPlugins(saved)) notify?.(sentence);
  const { changes, command, config, plugins } = validate(schema(), saved, path, DataError);
  const layers = Array.isArray(changes) ? changes : [{ record: changes }];
  return {
    command,
    config: backend === undefined ? config : { ...config, backend },
    changes: layers.map((layer) => ({ ...layer, source: path })),
    ...(plugins && { plugins }),
  };
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
}
