/**
 * Safetensors: one file, or several with an index (`model.safetensors.index.json`) that says which tensor lies in which,
 * as large models are published.
 */
import { DataError } from '@meanflow/core';
import { headerEnd, readSafetensorsHeader } from './header.js';
import { piecesOf, readText, section, type Folder, type RandomAccess } from '../access/random-access.js';
import { checkedCatalogue, type Catalogue, type PlainValue, type StoredTensor } from '../catalogue.js';

const INDEX = '.safetensors.index.json';
const LARGEST_INDEX = 1 << 25;
const FORMAT = 'safetensors';

/** @throws {DataError} when the file is damaged */
export async function readSafetensors(access: RandomAccess): Promise<Catalogue> {
  const { source, size } = access;
  const first = await access.read(0, Math.min(8, size));
  const header = await access.read(0, headerEnd(first, size, source));
  const { entries, metadata } = readSafetensorsHeader(header, size, source);
  const tensors = entries.map(({ name, dtype, shape, begin, end }): StoredTensor => ({
    name,
    dtype,
    shape,
    pieces: () => piecesOf(section(access, begin, end - begin)),
  }));
  const values = Object.entries(metadata).map(([name, value]): PlainValue => ({ name, value }));
  return checkedCatalogue({ format: FORMAT, source, tensors, values });
}

/** The index of a folder, if it has exactly one. */
export function safetensorsIndex(paths: readonly string[]): string | undefined {
  const found = paths.filter((path) => path.endsWith(INDEX) && !path.includes('/'));
  return found.length === 1 ? found[0] : undefined;
}

/**
 * A model in several files.
 *
 * @throws {DataError} when a file is missing or damaged, or does not hold what the index says
 */
export async function readShardedSafetensors(folder: Folder, index: string): Promise<Catalogue> {
  const source = `${folder.source}/${index}`;
  const places = parseIndex(await readText(await folder.open(index), LARGEST_INDEX), source);
  const tensors: StoredTensor[] = [];
  for (const file of [...new Set(places.values())].sort()) {
    const shard = await readSafetensors(await folder.open(file));
    for (const tensor of shard.tensors) {
      if (places.get(tensor.name) !== file) {
        throw new DataError(`${shard.source} holds "${tensor.name}", which ${source} does not place there.`);
      }
      tensors.push(tensor);
      places.delete(tensor.name);
    }
  }
  const [missing] = places;
  if (missing !== undefined)
    throw new DataError(`${source} places "${missing[0]}" in ${missing[1]}, which does not hold it.`);
  return checkedCatalogue({
    format: `${FORMAT}, in several files`,
    source: folder.source,
    tensors,
    values: [],
  });
}

function parseIndex(text: string, source: string): Map<string, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new DataError(`${source} is not JSON: ${(error as Error).message}.`);
  }
  const map: unknown = (json as { readonly weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null)
    throw new DataError(`${source} has no "weight_map" of tensors to files.`);
  const places = new Map<string, string>();
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== 'string' || /[/\\]/.test(file) || file === '..') {
      throw new DataError(
        `${source} places "${name}" in ${JSON.stringify(file)}, which is no file beside it.`,
      );
    }
    places.set(name, file);
  }
  return places;
}
