/**
 * `@meanflow/data/node`: datasets from disk. The same as the package's main entry, with files read by Node: a dataset
 * is named, or is the path of a CSV file.
 */
import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { ArgumentError, DataError } from '@meanflow/core';
import { type Dataset } from './dataset.js';
import { csvDataset, datasets, openDataset as openNamed, unknownDataset } from './open-dataset.js';
import { type SplitOptions } from './table-dataset.js';
import { type TableOptions } from './table.js';

/** Options of a CSV file's label and header apply to files only. */
export interface OpenFileOptions extends SplitOptions, Omit<TableOptions, 'file'> {}

/** The bytes of a file of this package's `assets`. */
export async function readAsset(file: string): Promise<Uint8Array> {
  return readFile(new URL(`../assets/${file}`, import.meta.url));
}

/**
 * Opens a dataset by its name or by the path of a CSV file (plain or gzip-compressed).
 *
 * @param nameOrPath one of `datasets`, or a path: anything with a `/`, a `\` or a file extension
 * @throws {ArgumentError} when there is no dataset of that name, or a label or header is given for a named dataset
 * @throws {DataError} when the file cannot be read or does not hold a table
 */
export async function openDataset(nameOrPath: string, options: OpenFileOptions = {}): Promise<Dataset> {
  if (datasets.some(({ name }) => name === nameOrPath)) {
    if (options.label !== undefined || options.header !== undefined) {
      throw new ArgumentError(
        `The dataset "${nameOrPath}" knows its labels: label and header are for CSV files.`,
      );
    }
    return openNamed(nameOrPath, { ...options, readAsset });
  }
  if (!/[\\/]/.test(nameOrPath) && extname(nameOrPath) === '') throw unknownDataset(nameOrPath);
  return csvDataset(await read(nameOrPath), { ...options, file: nameOrPath, name: basename(nameOrPath) });
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      ENOENT: 'there is no such file',
      EISDIR: 'it is a folder, expected a CSV file',
      EACCES: 'it may not be read',
    };
    throw new DataError(`${path}: ${reasons[code ?? ''] ?? message}.`);
  }
}
