/**
 * Opening a checkpoint of any format that is known: which one it is follows from how a file begins, or from what a folder
 * holds, never from a name's ending, which anybody can write.
 */
import { DataError } from '@meanflow/core';
import {
  type Catalogue,
  checkedCatalogue,
  type Folder,
  openZip,
  type RandomAccess,
  readNpy,
  readNpz,
  readSafetensors,
  readShardedSafetensors,
  safetensorsIndex,
} from '@meanflow/formats';
import { readFlax } from './msgpack/flax.js';
import { isOrbax, readOrbax } from './orbax/reader.js';
import { readPyTorch, torchPickle } from './pytorch/reader.js';

/** The formats that are read, for messages. */
const FORMATS =
  'PyTorch (.pt, .pth), Orbax and flax checkpoints, NumPy (.npz, .npy), zarr and safetensors can be read';

/** A file. @throws {DataError} when its format is unknown, or it is damaged */
export async function openCheckpointFile(access: RandomAccess): Promise<Catalogue> {
  const { source, size } = access;
  const head = await access.read(0, Math.min(size, 16));
  const begins = (...bytes: readonly number[]): boolean => bytes.every((byte, i) => head[i] === byte);
  if (begins(0x50, 0x4b)) return openArchive(access);
  if (begins(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59)) return readNpy(access, 'array');
  // Eight bytes of a header's length, which is far below 2³², and its opening brace.
  if (head.length > 8 && head[8] === 0x7b && begins(head[0], head[1], head[2], head[3], 0, 0, 0, 0)) {
    return readSafetensors(access);
  }
  // Magic number of PyTorch's older format, as a pickle of it begins.
  if (begins(0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46)) {
    throw new DataError(
      `${source} is in the format of PyTorch before 1.6, which is not read. Write it anew with a later PyTorch: ` +
        'torch.save(torch.load(old), new).',
    );
  }
  if (head[0] === 0x80 && head[1] >= 2 && head[1] <= 5) {
    throw new DataError(`${source} is a bare pickle, which may run anything and is not read. ${FORMATS}.`);
  }
  if (isFlax(head)) return openFlax(access);
  const bytes = [...head].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  throw new DataError(
    size === 0
      ? `${source} is empty.`
      : `${source} has no format that is known: it begins with ${bytes}. ${FORMATS}.`,
  );
}

/** A map of msgpack whose first key is a text, as every checkpoint of flax is. */
function isFlax(head: Uint8Array): boolean {
  const isSmall = head[0] > 0x80 && head[0] < 0x90;
  const key = isSmall ? head[1] : head[0] === 0xde ? head[3] : head[0] === 0xdf ? head[5] : 0;
  return (key >= 0xa0 && key < 0xc0) || key === 0xd9;
}

async function openArchive(access: RandomAccess): Promise<Catalogue> {
  const archive = await openZip(access);
  if (torchPickle(archive) !== undefined) return readPyTorch(archive);
  const names = archive.entries.map(({ name }) => name);
  if (names.length > 0 && names.every((name) => name.endsWith('.npy'))) return readNpz(archive);
  const holdsFolder = names.some((name) => /(^|\/)(manifest\.ocdbt|\.zarray|_METADATA)$/.test(name));
  throw new DataError(
    holdsFolder
      ? `${access.source} is a zip of a checkpoint's folder: unzip it, and give the folder.`
      : `${access.source} is a zip archive of something else than a checkpoint. ${FORMATS}.`,
  );
}

async function openFlax(access: RandomAccess): Promise<Catalogue> {
  const { tensors, values, placeholders } = await readFlax(access);
  if (placeholders.length > 0) {
    throw new DataError(
      `${access.source} refers to ${placeholders.length} arrays beside it, such as "${placeholders[0].refersTo}": give the folder ` +
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
  const index = safetensorsIndex(paths);
  if (index !== undefined) return readShardedSafetensors(folder, index);
  if (isOrbax(paths)) return readOrbax(folder);
  const folders = foldersOf(paths).filter((name) => isOrbax(below(paths, name)) || mayHold(paths, name));
  const files = paths.filter((path) => !path.includes('/') && !path.startsWith('.') && looksLikeCheckpoint(path));
  const candidates = [...folders, ...files];
  if (candidates.length > 1) {
    throw new DataError(
      `${folder.source} holds several checkpoints: ${candidates.slice(0, 8).join(', ')}. Give one of them.`,
    );
  }
  if (folders.length === 1) return openCheckpointFolder(subfolder(folder, paths, folders[0]));
  if (files.length === 1) return openCheckpointFile(await folder.open(files[0]));
  throw new DataError(`${folder.source} holds no checkpoint. ${FORMATS}.`);
} // prettier-ignore

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
