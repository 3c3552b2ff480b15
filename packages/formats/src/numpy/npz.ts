/** NumPy's archives (`.npz`): a zip of `.npy` arrays, stored or deflated; and a single `.npy`. */
import { DataError, type HostArray } from '@meanflow/core';
import { quoted } from '@meanflow/core/validation';
import { bytesAccess, piecesOf, type RandomAccess } from '../access/random-access.js';
import { checkedCatalogue, readTensor, type Catalogue, type StoredTensor } from '../catalogue.js';
import { openZip, type ZipArchive } from '../zip/archive.js';
import { NPY_BEGINNING, npyTensor } from './npy.js';

const EXTENSION = '.npy';

/** @throws {DataError} when an entry is not an array */
export async function readNpz(archive: ZipArchive): Promise<Catalogue> {
  const tensors: StoredTensor[] = [];
  for (const entry of archive.entries) {
    const source = archive.describe(entry);
    if (!entry.name.endsWith(EXTENSION))
      throw new DataError(`${source} is not an array: its name does not end with ".npy".`);
    const name = entry.name.slice(0, -EXTENSION.length);
    const content = () => archive.content(entry);
    tensors.push(npyTensor(name, entry.size, await beginningOf(content()), content, source));
  }
  return checkedCatalogue({ format: 'NumPy archive', source: archive.source, tensors, values: [] });
}

/** A single array; its name is given, since the file has none for it. */
export async function readNpy(access: RandomAccess, name: string): Promise<Catalogue> {
  const beginning = await access.read(0, Math.min(NPY_BEGINNING, access.size));
  const tensor = npyTensor(name, access.size, beginning, () => piecesOf(access), access.source);
  return checkedCatalogue({ format: 'NumPy array', source: access.source, tensors: [tensor], values: [] });
}

async function beginningOf(content: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const piece of content) {
    parts.push(piece);
    length += piece.length;
    if (length >= NPY_BEGINNING) break;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export interface DecodeNpzOptions {
  /** Most bytes that the unpacked arrays may take together; 4 GiB by default. */
  readonly maxBytes?: number;
  /** Only these arrays; all by default. */
  readonly names?: readonly string[];
}

/**
 * The arrays of an archive by name. Half precision becomes float32, integers of any width int32.
 *
 * @param bytes the whole file
 * @param source the file's name, for messages
 * @throws {DataError} when it is no zip archive, is cut short or damaged, unpacks to more than allowed, lacks a name that
 *   was asked for, or one of its files is no array
 */
export async function decodeNpz(
  bytes: Uint8Array,
  source: string,
  { maxBytes = 2 ** 32, names }: DecodeNpzOptions = {},
): Promise<Record<string, HostArray>> {
  const archive = await openZip(bytesAccess(bytes, source));
  const found = archive.entries.map(({ name }) => arrayName(name));
  const missing = names?.filter((name) => !found.includes(name)) ?? [];
  if (missing.length > 0) {
    throw new DataError(
      `${source}: there is no array ${missing.map((name) => quoted(name)).join(', ')}; it holds ${found.join(', ') || 'none'}.`,
    );
  }
  const entries = archive.entries.filter(({ name }) => names?.includes(arrayName(name)) ?? true);
  const total = entries.reduce((sum, { size }) => sum + size, 0);
  if (total > maxBytes) {
    throw new DataError(
      `${source}: its arrays unpack to ${total} bytes, more than the ${maxBytes} bytes that are allowed.`,
    );
  }
  const { tensors } = await readNpz({ ...archive, entries });
  const arrays: [string, HostArray][] = [];
  for (const tensor of tensors) arrays.push([tensor.name, await readTensor(tensor)]);
  return Object.fromEntries(arrays);
}

/**
 * The array of an npy file. Half precision becomes float32, integers of any width int32.
 *
 * @param bytes the whole file
 * @param source the file's name, for messages
 * @throws {DataError} when it is no npy file, is cut short or too long for its shape, or holds objects, complex numbers,
 *   or an integer that does not fit into int32
 */
export async function decodeNpy(bytes: Uint8Array, source: string): Promise<HostArray> {
  const { tensors } = await readNpy(bytesAccess(bytes, source), 'array');
  return readTensor(tensors[0]!);
}

function arrayName(file: string): string {
  return file.endsWith(EXTENSION) ? file.slice(0, -EXTENSION.length) : file;
}
