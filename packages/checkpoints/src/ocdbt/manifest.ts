/** The manifest of an OCDBT database: its configuration, and where the tree of the latest version begins. */
import { DataError } from '@meanflow/core';
import type { Folder } from '@meanflow/formats';
import { dataFile, decodeDataFiles, type DataPlace } from './data-files.js';
import type { FieldDecoder } from './decoder.js';
import { MANIFEST, openEnvelope } from './envelope.js';

export const MANIFEST_FILE = 'manifest.ocdbt';

/** The root of a version; undefined where the database is empty. */
export interface TreeRoot {
  readonly place: DataPlace;
  readonly height: number;
  readonly keys: number;
}

const SINGLE = 0;
const NUMBERED = 1;

/** @throws {DataError} when the manifest is damaged */
export async function readRoot(folder: Folder): Promise<TreeRoot | undefined> {
  const main = await openEnvelope(await folder.open(MANIFEST_FILE), MANIFEST);
  const kind = skipConfiguration(main);
  if (kind === SINGLE) return decodeRoot(main);
  if (kind !== NUMBERED) throw main.problem(`its kind is ${kind}`);
  // The version tree is in the file with the highest generation.
  const numbered = (await folder.list()).filter((path) => /^manifest\.[0-9a-f]{16}$/.test(path)).sort();
  const latest = numbered.at(-1);
  if (latest === undefined) throw new DataError(`${folder.source} lacks its numbered manifest.`);
  const decoder = await openEnvelope(await folder.open(latest), MANIFEST);
  if (skipConfiguration(decoder) !== SINGLE) throw decoder.problem('it refers to another manifest');
  return decodeRoot(decoder);
}

/** Returns the kind of the manifest. */
function skipConfiguration(decoder: FieldDecoder): number {
  decoder.take(16); // identifier
  const kind = decoder.varint();
  decoder.varint(); // largest value that is stored in a node
  decoder.varint(); // largest node
  decoder.uint8(); // arity of the version tree
  if (decoder.varint() !== 0) decoder.take(4); // level of compression
  return kind;
}

function decodeRoot(decoder: FieldDecoder): TreeRoot | undefined {
  const files = decodeDataFiles(decoder, '');
  const count = decoder.count();
  if (count === 0) return undefined;
  // Field by field, each for all versions; the last version is the latest.
  const last = (values: readonly number[]): number => values[count - 1]!;
  decoder.varints(count); // generations
  const height = decoder.take(count)[count - 1]!;
  const file = last(decoder.varints(count));
  const offset = last(decoder.varints(count));
  const length = last(decoder.varints(count));
  const keys = last(decoder.varints(count));
  if (keys === 0) return undefined;
  return { place: { file: dataFile(files, file, decoder), offset, length }, height, keys };
}
