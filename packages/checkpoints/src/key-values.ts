/** Values by key, as zarr arrays are stored: the files of a folder, or the entries of a database. */
import { bytesAccess, type Folder, type RandomAccess } from '@meanflow/formats';

export interface KeyValues {
  readonly source: string;
  /** All keys, sorted. */
  readonly keys: readonly string[];
  /** @throws {DataError} when there is no such key */
  open(key: string): Promise<RandomAccess>;
}

/** The files of a folder. */
export async function folderValues(folder: Folder): Promise<KeyValues> {
  return { source: folder.source, keys: await folder.list(), open: (key) => folder.open(key) };
}

/** A value in memory. */
export function inlineValue(bytes: Uint8Array, source: string): RandomAccess {
  return bytesAccess(bytes, source);
}
