/**
 * Orbax checkpoints, as flax writes them too: arrays in zarr format, in an OCDBT database (`manifest.ocdbt`) or in a
 * folder each, with a msgpack tree (`checkpoint`) that holds everything, or what is not in arrays of their own, or
 * nothing. Folders of plain zarr arrays are read in the same way.
 */
import { DataError } from '@meanflow/core';
import type { Catalogue, Folder, PlainValue, StoredTensor } from '@meanflow/formats';
import { checkedCatalogue } from '@meanflow/formats/build';
import { folderValues } from '../key-values.js';
import { readFlax, type Placeholder } from '../msgpack/flax.js';
import { MANIFEST_FILE } from '../ocdbt/manifest.js';
import { openOcdbt } from '../ocdbt/tree.js';
import { zarrArrayKey, zarrTensor } from '../zarr/array.js';
import { readOrbaxMetadata, type OrbaxMetadata } from './metadata.js';

const AGGREGATED = 'checkpoint';
const MARKS = [
  MANIFEST_FILE,
  AGGREGATED,
  '_METADATA',
  '_CHECKPOINT_METADATA',
  '_sharding',
  'commit_success.txt',
];

/** Whether a folder with these files is a checkpoint of Orbax, or holds zarr arrays. */
export function isOrbax(paths: readonly string[]): boolean {
  const files = new Set(paths);
  return (
    files.has(MANIFEST_FILE) ||
    files.has(AGGREGATED) ||
    paths.some((path) => zarrArrayKey(path) !== undefined && path.split('/').length <= 2)
  );
}

/** @throws {DataError} when the checkpoint is damaged, or lacks an array that its metadata names */
export async function readOrbax(folder: Folder): Promise<Catalogue> {
  const paths = await folder.list();
  const isDatabase = paths.includes(MANIFEST_FILE);
  const store = isDatabase ? await openOcdbt(folder) : await folderValues(folder);
  const metadata = await readOrbaxMetadata(folder);
  const aggregated = paths.includes(AGGREGATED)
    ? await readFlax(await folder.open(AGGREGATED))
    : { tensors: [], values: [], placeholders: [] };
  const names = namesOf(metadata, aggregated.placeholders, paths);
  const missing = metadata !== undefined && !metadata.storesEverything ? 'fill' : 'fail';
  const tensors: StoredTensor[] = [...aggregated.tensors];
  const found = new Set<string>();
  for (const key of store.keys) {
    const stored = zarrArrayKey(key);
    if (stored === undefined) continue;
    found.add(stored);
    tensors.push(await zarrTensor(store, key, names(stored), missing));
  }
  const values: PlainValue[] = [...aggregated.values];
  checkComplete(folder, metadata, aggregated, found);
  const kind = isDatabase ? 'OCDBT' : found.size > 0 ? 'zarr' : 'msgpack';
  const format = paths.some((path) => MARKS.includes(path)) ? `Orbax (${kind})` : kind;
  return checkedCatalogue({ format, source: folder.source, tensors, values });
}

/** The name of an array, from what it is stored under. */
function namesOf(
  metadata: OrbaxMetadata | undefined,
  placeholders: readonly Placeholder[],
  paths: readonly string[],
): (stored: string) => string {
  const known = new Map(metadata?.names);
  for (const { name, refersTo } of placeholders) known.set(refersTo, name);
  const isMarked = paths.some((path) => MARKS.includes(path));
  return (stored) => known.get(stored) ?? (isMarked ? stored.replaceAll('.', '/') : stored);
}

function checkComplete(
  folder: Folder,
  metadata: OrbaxMetadata | undefined,
  aggregated: {
    readonly tensors: readonly StoredTensor[];
    readonly values: readonly PlainValue[];
    readonly placeholders: readonly Placeholder[];
  },
  found: ReadonlySet<string>,
): void {
  const absent = aggregated.placeholders.find(({ refersTo }) => !found.has(refersTo));
  if (absent !== undefined) {
    throw new DataError(
      `${folder.source} lacks the array "${absent.refersTo}" that its "${AGGREGATED}" refers to.`,
    );
  }
  const inTree = new Set([...aggregated.tensors, ...aggregated.values].map(({ name }) => name));
  for (const [stored, name] of metadata?.names ?? []) {
    if (!found.has(stored) && !inTree.has(name)) {
      throw new DataError(`${folder.source} lacks the array "${name}" that its _METADATA names.`);
    }
  }
}
