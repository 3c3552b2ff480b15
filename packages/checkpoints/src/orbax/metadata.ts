/**
 * `_METADATA` of an Orbax checkpoint: the keys that lead to each array. An array is stored under its keys joined by dots,
 * which alone would not tell a dot within a key (the decay of an average, `0.9999`) from one between two.
 */
import { DataError } from '@meanflow/core';
import type { Folder } from '@meanflow/formats';
import { readText } from '@meanflow/formats/build';

export interface OrbaxMetadata {
  /** The name of each array, by the one it is stored under. */
  readonly names: ReadonlyMap<string, string>;
  /** Whether arrays of zeros are written like any other; older versions leave them out. */
  readonly storesEverything: boolean;
}

const FILE = '_METADATA';
const LARGEST = 1 << 26;

type Json = { readonly [key: string]: unknown };

/** Undefined where a checkpoint has none. @throws {DataError} when it is damaged */
export async function readOrbaxMetadata(folder: Folder): Promise<OrbaxMetadata | undefined> {
  if (!(await folder.list()).includes(FILE)) return undefined;
  const source = `${folder.source}/${FILE}`;
  let json: unknown;
  try {
    json = JSON.parse(await readText(await folder.open(FILE), LARGEST));
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`${source} is not JSON: ${(error as Error).message}.`);
  }
  const tree = isObject(json) ? json.tree_metadata : undefined;
  if (!isObject(json) || !isObject(tree)) throw new DataError(`${source} has no "tree_metadata".`);
  const names = new Map<string, string>();
  for (const [label, entry] of Object.entries(tree)) {
    const keys = isObject(entry) && Array.isArray(entry.key_metadata) ? entry.key_metadata : undefined;
    const path = keys?.map((key: unknown) => (isObject(key) ? key.key : undefined));
    if (path === undefined || !path.every((key) => typeof key === 'string' || typeof key === 'number')) {
      throw new DataError(`${source} does not say which keys lead to ${label}.`);
    }
    // Empty containers and None are listed, but have no array.
    const value = isObject(entry) ? entry.value_metadata : undefined;
    const isAbsent = isObject(value) && (value.skip_deserialize === true || !isArray(value.value_type));
    if (!isAbsent) names.set(path.join('.'), path.join('/'));
  }
  return { names, storesEverything: json.store_array_data_equal_to_fill_value === true };
}

function isArray(type: unknown): boolean {
  return typeof type === 'string' && /array|scalar/i.test(type);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
