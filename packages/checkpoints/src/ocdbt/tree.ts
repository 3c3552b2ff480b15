/**
 * The B+tree of an OCDBT database, walked from its root to all of its entries. A child stands one level below its node,
 * so that no path comes back to where it was; nodes and entries are counted, since several paths may lead to one node.
 */
import { DataError } from '@meanflow/core';
import type { Folder, RandomAccess } from '@meanflow/formats';
import { section } from '@meanflow/formats/build';
import type { KeyValues } from '../key-values.js';
import { inlineValue } from '../key-values.js';
import { dataFile, decodeDataFiles, type DataFile, type DataPlace } from './data-files.js';
import { decodePrefixed, type FieldDecoder, joined } from './decoder.js';
import { BTREE_NODE, openEnvelope } from './envelope.js';
import { readRoot } from './manifest.js';

const MOST_NODES = 100_000;
const MOST_KEYS = 1_000_000;

type Value = Uint8Array | DataPlace;

interface Child {
  readonly prefix: Uint8Array;
  readonly place: DataPlace;
}

/**
 * All entries of the latest version.
 *
 * @throws {DataError} when the database is damaged
 */
export async function openOcdbt(folder: Folder): Promise<KeyValues> {
  const root = await readRoot(folder);
  const values = new Map<string, Value>();
  let nodes = 1;
  const open = async ({ file, offset, length }: DataPlace): Promise<RandomAccess> =>
    section(await folder.open(file.path), offset, length, `${folder.source}/${file.path} at byte ${offset}`);
  const walk = async (place: DataPlace, prefix: Uint8Array, height: number): Promise<void> => {
    const decoder = await openEnvelope(await open(place), BTREE_NODE);
    const found = decoder.uint8();
    if (found !== height)
      throw decoder.problem(`a node stands at height ${found}, expected ${height}`);
    const files = decodeDataFiles(decoder, place.file.base);
    const count = decoder.count();
    if (count === 0) throw decoder.problem('a node is empty');
    if (height === 0) return leaf(decoder, files, count, prefix, values);
    // Before they are listed, since a node takes few bytes to name many.
    nodes += count;
    if (nodes > MOST_NODES) throw new DataError(`${folder.source} has more than ${MOST_NODES} nodes.`);
    for (const child of interior(decoder, files, count, prefix)) await walk(child.place, child.prefix, height - 1);
  };
  if (root !== undefined) await walk(root.place, new Uint8Array(0), root.height);
  if (values.size !== (root?.keys ?? 0)) {
    throw new DataError(`${folder.source} has ${values.size} entries, its manifest says ${root?.keys}.`);
  }
  return {
    source: folder.source,
    keys: [...values.keys()].sort(),
    open: async (key) => {
      const value = values.get(key);
      if (value === undefined) throw new DataError(`${folder.source} has no entry ${JSON.stringify(key)}.`);
      return value instanceof Uint8Array
        ? inlineValue(value, `${folder.source}, entry ${JSON.stringify(key)}`)
        : open(value);
    },
  };
} // prettier-ignore

function leaf(
  decoder: FieldDecoder,
  files: readonly DataFile[],
  count: number,
  prefix: Uint8Array,
  values: Map<string, Value>,
): void {
  const prefixes = decoder.varints(count - 1);
  const suffixes = decoder.varints(count);
  const keys = decodePrefixed(decoder, prefixes, suffixes);
  const lengths = decoder.varints(count);
  const kinds = decoder.varints(count);
  if (kinds.some((kind) => kind > 1)) throw decoder.problem('a value is neither inline nor in a file');
  const indirect = kinds.filter((kind) => kind === 1).length;
  const ids = decoder.varints(indirect)[Symbol.iterator]();
  const offsets = decoder.varints(indirect)[Symbol.iterator]();
  const text = new TextDecoder();
  const places = kinds.map((kind, i): DataPlace | undefined =>
    kind === 0
      ? undefined
      : {
          file: dataFile(files, ids.next().value ?? 0, decoder),
          offset: offsets.next().value ?? 0,
          length: lengths[i]!,
        },
  );
  keys.forEach((key, i) => {
    const name = text.decode(joined(prefix, key));
    if (values.has(name)) throw decoder.problem(`the key ${JSON.stringify(name)} is there twice`);
    if (values.size >= MOST_KEYS) throw decoder.problem(`there are more than ${MOST_KEYS} keys`);
    values.set(name, places[i] ?? decoder.take(lengths[i]!).slice());
  });
  decoder.end();
}

function interior(
  decoder: FieldDecoder,
  files: readonly DataFile[],
  count: number,
  prefix: Uint8Array,
): Child[] {
  const prefixes = decoder.varints(count - 1);
  const suffixes = decoder.varints(count);
  const common = decoder.varints(count);
  const keys = decodePrefixed(decoder, prefixes, suffixes);
  const ids = decoder.varints(count);
  const offsets = decoder.varints(count);
  const lengths = decoder.varints(count);
  // Statistics of each subtree.
  for (let field = 0; field < 3; field++) decoder.varints(count);
  decoder.end();
  return keys.map((key, i) => {
    if (common[i]! > key.length) throw decoder.problem('the prefix of a child is damaged');
    const place = { file: dataFile(files, ids[i]!, decoder), offset: offsets[i]!, length: lengths[i]! };
    return { prefix: joined(prefix, key.subarray(0, common[i])), place };
  });
}
