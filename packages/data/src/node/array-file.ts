/**
 * The arrays of a file of latents or pictures: npz, npy and safetensors are read here by ranges, so that the file may be larger
 * than 2 GiB; any other format by the opener that is given. Only what is needed is read.
 */
import { DataError } from '@meanflow/core';
import {
  openZip,
  readNpy,
  readNpz,
  readSafetensors,
  readTensor,
  type Catalogue,
  type StoredTensor,
} from '@meanflow/formats';
import { fileAccess } from '@meanflow/formats/node';
import { type FileArrays } from '../latents/array-dataset.js';
import { chooseArrays, type LatentNames } from '../latents/array-names.js';
import { STAND_IN_BYTES, standInOf } from '../stand-ins.js';

/** Opens a file of a format that is not known here, such as PyTorch's: `openCheckpoint` of `@meanflow/checkpoints/node`. */
export type TensorOpener = (path: string) => Promise<Catalogue>;

/** Endings of files of arrays. */
export const ARRAY_FILE = /\.(npz|npy|safetensors|pt|pth)$/i;

/** Types of whole numbers, as formats name them. */
const isIntegerType = ({ dtype }: StoredTensor): boolean => /^(I|U)\d/.test(dtype) || dtype === 'BOOL';

/**
 * @throws {DataError} when the file is missing, damaged or of another format, or has no array that is meant
 */
export async function readArrayFile(
  path: string,
  names: LatentNames,
  openTensors: TensorOpener | undefined,
): Promise<FileArrays> {
  const open = await arraysOf(path, openTensors);
  const { latents, labels } = chooseArrays(open.names, names, path);
  const [values, classes] = [
    await open.tensor(latents),
    labels === undefined ? undefined : await open.tensor(labels),
  ];
  return {
    latents: await readTensor(values),
    isInteger: isIntegerType(values),
    name: latents,
    ...(classes === undefined ? {} : { labels: await readTensor(classes) }),
  };
}

interface OpenArrays {
  readonly names: readonly string[];
  tensor(name: string): Promise<StoredTensor>;
}

async function arraysOf(path: string, openTensors: TensorOpener | undefined): Promise<OpenArrays> {
  const ending = ARRAY_FILE.exec(path)?.[1]!.toLowerCase();
  const standIn = standInOf(await headOf(path));
  if (standIn !== undefined) throw new DataError(`${path}: it is ${standIn}, expected arrays.`);
  // Archives may hold what is no array of numbers beside those that are meant.
  if (ending === 'npz') return archiveArrays(path);
  if (ending === 'npy') return catalogueArrays(await readNpy(await fileAccess(path), 'array'));
  if (ending === 'safetensors') return catalogueArrays(await readSafetensors(await fileAccess(path)));
  if (openTensors !== undefined) return catalogueArrays(await openTensors(path));
  throw new DataError(
    `${path}: latents are read from .npz, .npy and .safetensors files here, expected one of these.`,
  );
}

function catalogueArrays({ tensors }: Catalogue): OpenArrays {
  return {
    names: tensors.map(({ name }) => name),
    tensor: async (name) => tensors.find((tensor) => tensor.name === name)!,
  };
}

async function archiveArrays(path: string): Promise<OpenArrays> {
  const archive = await openZip(await fileAccess(path));
  const entryOf = (name: string): string => `${name}.npy`;
  const files = archive.entries.map(({ name }) => name).filter((name) => name.endsWith('.npy'));
  return {
    names: files.map((name) => name.slice(0, -'.npy'.length)),
    tensor: async (name) => {
      const entries = archive.entries.filter((entry) => entry.name === entryOf(name));
      return (await readNpz({ ...archive, entries })).tensors[0]!;
    },
  };
}

/** The file's beginning; nothing where it cannot be read, which is for the reader of its format to describe. */
async function headOf(path: string): Promise<Uint8Array> {
  try {
    const access = await fileAccess(path);
    return await access.read(0, Math.min(access.size, STAND_IN_BYTES));
  } catch {
    return new Uint8Array();
  }
}
