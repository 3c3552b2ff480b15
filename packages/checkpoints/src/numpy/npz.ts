/** NumPy's archives (`.npz`): a zip of `.npy` arrays, stored or deflated; and a single `.npy`. */
import { DataError } from '@meanflow/core';
import { piecesOf, type RandomAccess } from '../access/random-access.js';
import { checkedCatalogue, type Catalogue, type StoredTensor } from '../catalogue.js';
import type { ZipArchive } from '../zip/archive.js';
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
