/**
 * Opening a checkpoint of any format that is known: which one it is follows from how a file begins, or from what a folder
 * holds, never from a name's ending, which anybody can write.
 */
import { DataError } from '@meanflow/core';
import { quoted } from '@meanflow/core/validation';
import {
  type Catalogue,
  type Folder,
  openZip,
  type RandomAccess,
  readNpy,
  readNpz,
  readSafetensors,
} from '@meanflow/formats';
import { checkedCatalogue } from '@meanflow/formats/build';
import { describeForeign } from './foreign.js';
import { readFlax } from './msgpack/flax.js';
import { isOrbax, readOrbax } from './orbax/reader.js';
import { isLegacyTorch, readLegacyTorch } from './pytorch/legacy.js';
import { readPyTorch, torchPickle } from './pytorch/reader.js';
import { isIndexName, readIndexed, readNumbered, shardsOf } from './sharded.js';

/** The formats that are read, for messages. */
const FORMATS =
  'PyTorch (.pt, .pth), Orbax and flax checkpoints, NumPy (.npz, .npy), zarr and safetensors can be read';

/** A file. @throws {DataError} when its format is unknown, or it is damaged */
export async function openCheckpointFile(access: RandomAccess): Promise<Catalogue> {
  const { source, size } = access;
  const head = await access.read(0, Math.min(size, 32));
  const begins = (...bytes: readonly number[]): boolean => bytes.every((byte, i) => head[i] === byte);
  if (begins(0x50, 0x4b)) return openArchive(access);
  if (begins(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59)) return readNpy(access, 'array');
  // Eight bytes of a header's length, which is far below 2³², and its opening brace.
  if (head.length > 8 && head[8] === 0x7b && begins(head[0]!, head[1]!, head[2]!, head[3]!, 0, 0, 0, 0)) {
    return readSafetensors(access);
  }
  if (isLegacyTorch(head)) return readLegacyTorch(access);
  if (head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5) {
    throw new DataError(`${source} is a bare pickle, which may run anything and is not read. ${FORMATS}.`);
  }
  if (isFlax(head)) return openFlax(access);
  const foreign = await describeForeign(access);
  const bytes = [...head.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  throw new DataError(
    foreign === undefined
      ? `${source} has no format that is known: it begins with ${bytes}. ${FORMATS}.`
      : `${source} ${foreign}.${foreign.endsWith('not read') ? ` ${FORMATS}.` : ''}`,
  );
}

/** A map of msgpack whose first key is a text, as every checkpoint of flax is. */
function isFlax(head: Uint8Array): boolean {
  const [form = 0] = head;
  const isSmall = form > 0x80 && form < 0x90;
  const key = head[isSmall ? 1 : form === 0xde ? 3 : form === 0xdf ? 5 : Infinity] ?? 0;
  return (key >= 0xa0 && key < 0xc0) || key === 0xd9;
}

async function openArchive(access: RandomAccess): Promise<Catalogue> {
  const archive = await openZip(access);
  if (torchPickle(archive) !== undefined) return readPyTorch(archive);
  const names = archive.entries.map(({ name }) => name);
  if (names.length > 0 && names.every((name) => name.endsWith('.npy'))) return readNpz(archive);
  const holdsFolder = names.some((name) => /(^|\/)(manifest\.ocdbt|\.zarray|_METADATA)$/.test(name));
  if (holdsFolder)
    throw new DataError(`${access.source} is a zip of a checkpoint's folder: unzip it, and give the folder.`);
  if (names.some((name) => /(^|\/)(byteorder|data\/\d+)$/.test(name))) {
    throw new DataError(`${access.source} is an unfinished archive of PyTorch: it lacks data.pkl.`);
  }
  const inside = names.filter((name) => looksLikeCheckpoint(name.split('/').at(-1)!));
  if (inside.length > 0) {
    throw new DataError(
      `${access.source} is a zip archive that holds ${listed(inside)}: unzip it, and give what is in it.`,
    );
  }
  const what = names.length === 0 ? 'an empty zip archive' : `a zip archive of something else than a checkpoint: ${listed(names)}`; // prettier-ignore
  throw new DataError(`${access.source} is ${what}. ${FORMATS}.`);
}

/** A few names. */
function listed(names: readonly string[]): string {
  const more = names.length > 3 ? `, and ${names.length - 3} more` : '';
  return `${names
    .slice(0, 3)
    .map((name) => quoted(name))
    .join(', ')}${more}`;
}

async function openFlax(access: RandomAccess): Promise<Catalogue> {
  const { tensors, values, placeholders } = await readFlax(access);
  if (placeholders.length > 0) {
    throw new DataError(
      `${access.source} refers to ${placeholders.length} arrays beside it, such as "${placeholders[0]!.refersTo}": give the folder ` +
        'that holds them too.',
    );
  }
  return checkedCatalogue({ format: 'flax msgpack', source: access.source, tensors, values });
}

/**
 * A folder: a checkpoint of Orbax or safetensors in several files, or a folder that holds exactly one checkpoint.
 *
 * @throws {DataError} when there is none, there are several, or it is damaged
 */
export async function openCheckpointFolder(folder: Folder): Promise<Catalogue> {
  const paths = await folder.list();
  const shards = shardsOf(paths);
  if (shards !== undefined) return openShards(folder, shards);
  if (isOrbax(paths)) return readOrbax(folder);
  const folders = foldersOf(paths).filter((name) => isOrbax(below(paths, name)) || mayHold(paths, name));
  const files = paths.filter((path) => !path.includes('/') && !path.startsWith('.') && looksLikeCheckpoint(path));
  const candidates = [...folders, ...files];
  if (candidates.length > 1) {
    throw new DataError(
      `${folder.source} holds several checkpoints: ${candidates.slice(0, 8).join(', ')}. Give one of them.`,
    );
  }
  if (folders.length === 1) return openCheckpointFolder(subfolder(folder, paths, folders[0]!));
  if (files.length === 1) return openCheckpointFile(await folder.open(files[0]!));
  if (paths.some((path) => /\.data-\d{5}-of-\d{5}$|(^|\/)saved_model\.pb$/.test(path))) {
    throw new DataError(`${folder.source} holds a checkpoint of TensorFlow, which is not read. ${FORMATS}.`);
  }
  throw new DataError(`${folder.source} holds no checkpoint. ${FORMATS}.`);
} // prettier-ignore

/**
 * A model in several files, of which one, or the index, is given by its name.
 *
 * @returns undefined where that is a file of its own
 */
export async function openPartOf(folder: Folder, part: string): Promise<Catalogue | undefined> {
  if (isIndexName(part)) return readIndexed(folder, part, openCheckpointFile);
  // Most files are none of several, and their folder may be large.
  if (!/-\d{5}-of-\d{5}\./.test(part)) return undefined;
  const shards = shardsOf(await folder.list(), part);
  return shards === undefined ? undefined : openShards(folder, shards);
}

function openShards(folder: Folder, shards: NonNullable<ReturnType<typeof shardsOf>>): Promise<Catalogue> {
  return 'index' in shards
    ? readIndexed(folder, shards.index, openCheckpointFile)
    : readNumbered(folder, shards.files, openCheckpointFile);
}

/** Folders at the top. */
function foldersOf(paths: readonly string[]): string[] {
  return [
    ...new Set(paths.filter((path) => path.includes('/')).map((path) => path.slice(0, path.indexOf('/')))),
  ];
}

function below(paths: readonly string[], name: string): string[] {
  return paths.filter((path) => path.startsWith(`${name}/`)).map((path) => path.slice(name.length + 1));
}

/** Whether a folder holds something that may be a checkpoint, at any depth. */
function mayHold(paths: readonly string[], name: string): boolean {
  return below(paths, name).some(
    (path) => /(^|\/)(manifest\.ocdbt|\.zarray|zarr\.json|checkpoint)$/.test(path) || looksLikeCheckpoint(path.split('/').at(-1)!),
  );
} // prettier-ignore

/** Files that checkpoints are published as; other files beside them (configurations, logs) are passed over. */
function looksLikeCheckpoint(name: string): boolean {
  return /\.(pt|pth|bin|ckpt|npz|npy|safetensors|msgpack)$/i.test(name) || /^checkpoint(_\d+)?$/.test(name);
}

/** Part of a folder. */
function subfolder(folder: Folder, paths: readonly string[], name: string): Folder {
  return {
    source: `${folder.source}/${name}`,
    list: async () => below(paths, name),
    open: (path) => folder.open(`${name}/${path}`),
  };
}
