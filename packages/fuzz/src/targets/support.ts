/** What targets have in common: seeds from test data of the packages, and reading all of what a checkpoint holds. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DataError } from '@meanflow/core';
import { bytesAccess, type Catalogue, type Folder, readTensor, byteLength } from '@meanflow/formats';

/** The folder of a package. */
export function packagePath(name: string, ...parts: readonly string[]): string {
  return join(fileURLToPath(new URL('../../..', import.meta.url)), name, ...parts);
}

/** Test data of a package. */
export function testData(name: string, ...parts: readonly string[]): Uint8Array {
  return new Uint8Array(readFileSync(packagePath(name, 'test', 'data', ...parts)));
}

/** Bytes of a tensor up to which it is read into an array; larger ones are read piece by piece. */
const SMALL = 2 ** 24;
/** Bytes that are read of a larger one. */
const ENOUGH = 2 ** 24;

/** Reads everything that a checkpoint holds. */
export async function readAllOf(catalogue: Catalogue): Promise<void> {
  for (const tensor of catalogue.tensors) {
    if (byteLength(tensor) <= SMALL) await readTensor(tensor);
    else {
      let read = 0;
      for await (const piece of tensor.pieces()) if ((read += piece.length) > ENOUGH) break;
    }
  }
}

/** Files of a folder by path. */
export function filesOf(folder: string): Map<string, Uint8Array> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    files
      .map(
        (path) => [relative(folder, path).split(sep).join('/'), new Uint8Array(readFileSync(path))] as const,
      )
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** A folder in memory. */
export function folderOf(files: ReadonlyMap<string, Uint8Array>): Folder {
  return {
    source: 'the folder',
    list: async () => [...files.keys()].sort(),
    open: async (path) => {
      const bytes = files.get(path);
      if (bytes === undefined) throw new DataError(`there is no file "${path}" in the folder.`);
      return bytesAccess(bytes, `"${path}"`);
    },
  };
}
