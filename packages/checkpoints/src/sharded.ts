/**
 * Models in several files, as large ones are published: `model-00001-of-00002.safetensors` or `pytorch_model-00001-of-00002.bin`,
 * with an index (`model.safetensors.index.json`) that says which tensor lies in which; without an index, all of the files
 * that the names count.
 */
import { DataError } from '@meanflow/core';
import { quoted } from '@meanflow/core/validation';
import type { Catalogue, Folder, PassedOver, RandomAccess, StoredTensor } from '@meanflow/formats';
import { checkedCatalogue, isObject, readText } from '@meanflow/formats/build';

const INDEX = /\.(safetensors|bin|pt|pth)\.index\.json$/;
const SHARD = /^(.+)-(\d{5})-of-(\d{5})(\.[a-z]+)$/;
const LARGEST_INDEX = 1 << 25;

/** How a file is opened. */
export type OpenFile = (access: RandomAccess) => Promise<Catalogue>;

/** Whether a file's name is that of an index. */
export function isIndexName(name: string): boolean {
  return INDEX.test(name);
}

/**
 * What leads to all files of a model in several: its index, or, where there is none, the files by their names. Of two indices, one
 * of safetensors is taken.
 *
 * @param paths of a folder
 * @param part one of the files, where that was given
 */
export function shardsOf(
  paths: readonly string[],
  part?: string,
): { readonly index: string } | { readonly files: readonly string[] } | undefined {
  const top = paths.filter((path) => !path.includes('/'));
  const base = part === undefined ? undefined : SHARD.exec(part)?.[1];
  if (part !== undefined && base === undefined) return undefined;
  const indices = top.filter(
    (path) => isIndexName(path) && (base === undefined || path.startsWith(`${base}.`)),
  );
  const preferred = indices.filter((path) => path.includes('.safetensors.'));
  if (preferred.length === 1) return { index: preferred[0]! };
  if (indices.length === 1) return { index: indices[0]! };
  const files = top.filter(
    (path) => SHARD.test(path) && (base === undefined || SHARD.exec(path)![1] === base),
  );
  const families = new Set(files.map((path) => path.replace(SHARD, '$1 $3 $4')));
  return indices.length === 0 && families.size === 1 ? { files: files.sort() } : undefined;
}

/**
 * A model by its index.
 *
 * @throws {DataError} when a file is missing or damaged, or does not hold what the index says
 */
export async function readIndexed(folder: Folder, index: string, open: OpenFile): Promise<Catalogue> {
  const source = `${folder.source}/${index}`;
  const places = parseIndex(await readText(await folder.open(index), LARGEST_INDEX), source);
  const shards: Catalogue[] = [];
  for (const file of [...new Set(places.values())].sort()) {
    const shard = await open(await folder.open(file));
    shards.push(shard);
    for (const { name } of shard.tensors) {
      if (places.get(name) !== file) {
        throw new DataError(`${shard.source} holds ${quoted(name)}, which ${source} does not place there.`);
      }
      places.delete(name);
    }
    for (const { name } of shard.passedOver ?? []) places.delete(name);
  }
  const [missing] = places;
  if (missing !== undefined) {
    throw new DataError(
      `${source} places ${quoted(missing[0])} in ${quoted(missing[1])}, which does not hold it.`,
    );
  }
  return joined(folder, shards);
}

/**
 * A model by the files that its names count.
 *
 * @throws {DataError} when one is missing or damaged
 */
export async function readNumbered(
  folder: Folder,
  files: readonly string[],
  open: OpenFile,
): Promise<Catalogue> {
  const [, base, , count, ending] = SHARD.exec(files[0]!)!;
  const shards: Catalogue[] = [];
  for (let number = 1; number <= Number(count); number++) {
    const file = `${base}-${String(number).padStart(5, '0')}-of-${count}${ending}`;
    if (!files.includes(file)) throw new DataError(`${folder.source} lacks ${quoted(file)}, one of ${Number(count)} files of a model.`);
    shards.push(await open(await folder.open(file)));
  }
  return joined(folder, shards);
} // prettier-ignore

function joined({ source }: Folder, shards: readonly Catalogue[]): Catalogue {
  const tensors: StoredTensor[] = [];
  const passedOver: PassedOver[] = [];
  for (const shard of shards) {
    for (const tensor of shard.tensors) tensors.push(tensor);
    for (const each of shard.passedOver ?? []) passedOver.push(each);
  }
  const format = `${shards[0]?.format ?? 'nothing'}, in several files`;
  return checkedCatalogue({ format, source, tensors, values: [], passedOver });
}

function parseIndex(text: string, source: string): Map<string, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new DataError(`${source} is not JSON: ${(error as Error).message}.`);
  }
  const map = isObject(json) ? json.weight_map : undefined;
  if (!isObject(map)) throw new DataError(`${source} has no "weight_map" of tensors to files.`);
  const places = new Map<string, string>();
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== 'string' || /[/\\]/.test(file) || file === '..' || isIndexName(file)) {
      throw new DataError(
        `${source} places ${quoted(name)} in ${quoted(String(file))}, which is no file beside it.`,
      );
    }
    places.set(name, file);
  }
  return places;
}
