/**
 * `@meanflow/data/node`: datasets from disk. The same as the package's main entry, with files read by Node: a dataset
 * is named, or is the path of a file or folder.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { ArgumentError, DataError } from '@meanflow/core';
import { type Dataset } from './dataset.js';
import { type ImageOptions } from './images/image-dataset.js';
import {
  detectImages,
  openImages,
  type ImageDataConfig,
  type ImageFolderConfig,
  type LatentsConfig,
} from './node/open-images.js';
import { readTable } from './node/read-table.js';
import { datasets } from './open-dataset.js';
import { tableDataset } from './table-dataset.js';
import { type TableOptions, type TableReading } from './table.js';

export { readTable, type ReadTableOptions } from './node/read-table.js';
export {
  detectImages,
  openImages,
  type CifarConfig,
  type ImageDataConfig,
  type ImageFolderConfig,
  type LatentsConfig,
} from './node/open-images.js';
export { type IdxConfig } from './node/idx-files.js';
export { type LatentNames } from './latents/array-names.js';
export { readArrayFile, type TensorOpener } from './node/array-file.js';
export { scanFolder, type FolderScan, type ScanOptions } from './node/scan-folder.js';
export { decodeImage } from './node/sharp.js';
export { type SplitFolders } from './node/split-folders.js';

/**
 * Options of files: a CSV file's label and header; what is done to images; the size to which a folder's images are
 * cropped, and how latents lie and are read. Each kind looks at its own.
 */
export interface OpenFileOptions
  extends
    ImageOptions,
    Omit<TableReading, 'columns' | 'drop'>,
    Omit<TableOptions, 'file'>,
    Omit<ImageFolderConfig, 'kind' | 'path' | keyof ImageOptions>,
    Omit<LatentsConfig, 'kind' | 'path' | keyof ImageOptions> {}

/** The bytes of a file of this package's `assets`. */
export async function readAsset(file: string): Promise<Uint8Array> {
  return readFile(new URL(`../assets/${file}`, import.meta.url));
}

/**
 * Opens a dataset by its name, or by the path of a CSV file (plain or gzip-compressed), of a folder of images, of the
 * files of MNIST's relatives or CIFAR, or of latents; `openImages` opens these by a configuration.
 *
 * @param nameOrPath one of `datasets`, or a path: anything with a `/`, a `\` or a file extension, or that is there
 * @throws {ArgumentError} when there is no dataset of that name, or a label or header is given for what is no CSV file
 * @throws {DataError} when the file or folder cannot be read or does not hold what it should
 */
export async function openDataset(nameOrPath: string, options: OpenFileOptions = {}): Promise<Dataset> {
  const named = datasets.find(nameOrPath);
  const images = named ? undefined : imagesAt(nameOrPath);
  if ((named ?? images) && (options.label !== undefined || options.header !== undefined)) {
    throw new ArgumentError(
      `The dataset "${nameOrPath}" knows its labels: label and header are for CSV files.`,
    );
  }
  if (named !== undefined) return named.open({ ...options, readAsset });
  if (images !== undefined) return openImages({ ...options, ...images });
  const table = await readTable(nameOrPath, options);
  return tableDataset(table, { ...options, name: basename(nameOrPath) });
}

/**
 * @throws {ArgumentError} when it looks like a name, and nothing here is called so
 * @throws {DataError} when it is one image, or one of CIFAR's files
 */
function imagesAt(path: string): ImageDataConfig | undefined {
  if (!/[\\/]/.test(path) && extname(path) === '' && !existsSync(path)) datasets.get(path);
  const found = detectImages(path);
  if (found === undefined && /\.(png|jpe?g|webp|gif|tiff?|avif|bmp|bin)$/i.test(path)) {
    throw new DataError(`${path}: it is one file of images, expected the folder that they are in.`);
  }
  return found;
}
