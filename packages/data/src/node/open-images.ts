/**
 * Image datasets from disk: folders of images, IDX and CIFAR files, latents. One configuration says which and how; what a
 * path holds can also be told from what is there.
 */
import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { ArgumentError, DataError } from '@meanflow/core';
import { besideImages } from '../conditions/beside.js';
import { type Dataset } from '../dataset.js';
import { cifarImages } from '../images/cifar.js';
import { type NamedBytes } from '../images/idx.js';
import { imageDataset, type ImageOptions } from '../images/image-dataset.js';
import { type ImageRows } from '../images/image-rows.js';
import { MAX_IMAGE_BYTES } from '../images/pixels.js';
import { arrayDataset, type ArrayOptions } from '../latents/array-dataset.js';
import { type LatentNames } from '../latents/array-names.js';
import { shapesDataset, type ShapesOptions } from '../shapes/shapes-dataset.js';
import { ARRAY_FILE, readArrayFile, type TensorOpener } from './array-file.js';
import { folderImages } from './folder-images.js';
import { folderNotes } from './folder-notes.js';
import { partnersIn } from './folder-partners.js';
import { idxFilesIn, idxFilesOf, isIdxImages, openIdx, type IdxConfig } from './idx-files.js';
import { listImages, type ImageListing } from './image-folder.js';
import { linesOf, readNamed } from './read-file.js';
import { scanFolder } from './scan-folder.js';
import { loadSharp } from './load-sharp.js';
import { findSplits, type SplitFolders } from './split-folders.js';

export interface ImageFolderConfig extends ImageOptions {
  readonly kind: 'image-folder';
  /** A folder with a folder for each class, or with folders to learn from and to judge by, each such a folder. */
  readonly path: string;
  /** Which of its folders are those; told from names such as `train` and `valid` by default. */
  readonly splits?: SplitFolders;
  /** `required` by default; with `optional`, a folder without folders for two classes or more has images without classes. */
  readonly classes?: 'required' | 'optional';
  /** Height and width to which images are cropped; default: they are of one size, and stay so. */
  readonly size?: number;
  /** 3 by default. */
  readonly channels?: 1 | 3;
  /** Most bytes of decoded images that are kept; 512 MiB by default. */
  readonly cacheBytes?: number;
  /** Whether images are decoded ahead of their use; true by default. */
  readonly readAhead?: boolean;
  /** Whether links to files and folders are followed; false by default. */
  readonly followLinks?: boolean;
  /** Leave out images that cannot be decoded, for which all are decoded once when the folder is opened; false by default. */
  readonly skipDamaged?: boolean;
  /** Most bytes that the pixels of one image may take, as its header says; 256 MiB by default. */
  readonly maxImageBytes?: number;
  /** Folders with an image of the same name for each, which become conditions by these names. */
  readonly beside?: Readonly<Record<string, string>>;
}

export interface CifarConfig extends ImageOptions {
  readonly kind: 'cifar-10' | 'cifar-100';
  /** The folder with the binary version's files. */
  readonly path: string;
  /** Of CIFAR-100; `fine` by default. */
  readonly labels?: 'fine' | 'coarse';
}

/** An array of latents, or of pictures. */
export interface LatentsConfig extends ArrayOptions {
  readonly kind: 'latents';
  /** An npz, npy or safetensors file; another one where `openTensors` is given. */
  readonly path: string;
  readonly arrays?: LatentNames;
  readonly openTensors?: TensorOpener;
  /** Files of arrays with a row for each, which become conditions by these names; how they are read is told from them. */
  readonly beside?: Readonly<Record<string, string>>;
}

/** Any dataset of images. */
export type ImageDataConfig =
  (ShapesOptions & { readonly kind: 'shapes' }) | ImageFolderConfig | IdxConfig | CifarConfig | LatentsConfig;

const DEFAULT_CACHE = 512 * 2 ** 20;
const LARGEST_SIZE = 4096;
const CIFAR_10_BATCHES = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);

/**
 * Opens a dataset of images.
 *
 * @throws {DataError} naming the file or folder that is missing, damaged, or not what it should be
 * @throws {ArgumentError} when an option is out of range
 */
export async function openImages(config: ImageDataConfig): Promise<Dataset> {
  switch (config.kind) {
    case 'shapes':
      return shapesDataset(config);
    case 'image-folder':
      return openFolder(config);
    case 'idx':
      return openIdx(config);
    case 'cifar-10':
    case 'cifar-100':
      return openCifar(config);
    case 'latents':
      return openLatents(config);
  }
}

/**
 * What a path holds, by the names of what is there: a folder of CIFAR's or MNIST's files, or of images; a file of IDX
 * images or of latents. Undefined where it is something else.
 *
 * @throws {DataError} when a folder holds several sets of MNIST's kind
 */
export function detectImages(path: string): ImageDataConfig | undefined {
  if (isFolder(path)) {
    const has = (file: string): boolean => existsSync(join(path, file));
    if (has(CIFAR_10_BATCHES[0]!)) return { kind: 'cifar-10', path };
    if (has('train.bin') && has('test.bin')) return { kind: 'cifar-100', path };
    return idxFilesIn(path) ?? { kind: 'image-folder', path };
  }
  if (ARRAY_FILE.test(path)) return { kind: 'latents', path };
  return isIdxImages(path) ? idxFilesOf(path) : undefined;
}

async function openFolder(config: ImageFolderConfig): Promise<Dataset> {
  const {
    path,
    size,
    channels = 3,
    classes = 'required',
    cacheBytes = DEFAULT_CACHE,
    readAhead = true,
    followLinks = false,
    skipDamaged = false,
    maxImageBytes = MAX_IMAGE_BYTES,
    splits,
    layout = 'nhwc',
    beside = {},
  } = config;
  if (size !== undefined && (!Number.isSafeInteger(size) || size < 1 || size > LARGEST_SIZE)) {
    throw new ArgumentError(`Images are cropped to a size of 1 to ${LARGEST_SIZE} pixels, got ${size}.`);
  }
  if (channels !== 1 && channels !== 3)
    throw new ArgumentError(`Images have 1 or 3 channels, got ${String(channels)}.`);
  if (!(cacheBytes >= 0))
    throw new ArgumentError(`The bytes of images to keep are from 0 on, got ${cacheBytes}.`);
  if (!(maxImageBytes >= 1))
    throw new ArgumentError(`The most bytes of an image are from 1 on, got ${maxImageBytes}.`);
  await loadSharp();
  const scan = await scanFolder(path, { followLinks });
  const found = findSplits(path, scan, splits, classes);
  const listed = { classes, skipDamaged, maxImageBytes };
  const toLearn = await listImages(path, scan, found.train ?? '', listed);
  const { classNames } = toLearn;
  const listings =
    found.test === undefined
      ? [toLearn]
      : [toLearn, await listImages(path, scan, found.test, { ...listed, classNames })];
  const [height, width] = size === undefined ? sizeOf(listings, path) : [size, size];
  const folders = 1 + Object.keys(beside).length;
  const rowsOf = (of: readonly ImageListing[]): ImageRows[] =>
    of.map((listing, i) =>
      folderImages(listing, {
        imageShape: [height, width, channels],
        isCropped: size !== undefined,
        maxImageBytes,
        cacheBytes: cacheBytes / listings.length / folders,
        readAhead: readAhead && i === 0,
      }),
    );
  const [train, test] = rowsOf(listings);
  const notes = folderNotes(scan, listings, found.notes);
  const damaged = listings.flatMap((listing) => listing.damaged.map(({ message }) => message));
  const dataset = imageDataset(train!, test, {
    ...config,
    name: basename(resolve(path)) || path,
    notes,
    damaged,
  });
  const others: Record<string, Dataset> = {};
  for (const [name, folder] of Object.entries(beside)) {
    const of = { root: path, scan, listings };
    const sides = size === undefined ? ([height, width] as const) : undefined;
    const partners = rowsOf(await partnersIn(folder, of, sides, { followLinks, maxImageBytes }));
    others[name] = imageDataset(partners[0]!, partners[1], { ...config, name: folder });
  }
  const asked = [found.train, found.test].filter((name) => name !== undefined);
  const read = { ...dataset, reading: { splits: asked.length === 0 ? 'none' : asked } };
  return besideImages(read, others, layout);
}

/** The size that all images have. */
function sizeOf(listings: readonly ImageListing[], path: string): readonly [number, number] {
  const [first, ...others] = listings.map(({ commonSize }) => commonSize);
  if (first === undefined || others.some((size) => size?.join() !== first.join())) {
    throw new DataError(
      `${path}: the images are of different sizes: give a size that they are cropped to. ` +
        'On the command line that is --image-size.',
    );
  }
  return first;
}

async function openCifar(config: CifarConfig): Promise<Dataset> {
  const { kind, path, labels = 'fine' } = config;
  const at = (file: string): Promise<NamedBytes> => readNamed(join(path, file), 'a file of images');
  const isTen = kind === 'cifar-10';
  const labelsOf = isTen ? 'cifar-10' : (`cifar-100-${labels}` as const);
  const [trainFiles, testFile] = isTen ? [CIFAR_10_BATCHES, 'test_batch.bin'] : [['train.bin'], 'test.bin'];
  const namesFile = isTen ? 'batches.meta.txt' : `${labels}_label_names.txt`;
  const classNames = existsSync(join(path, namesFile)) ? linesOf(await at(namesFile)) : undefined;
  const [train, test] = await Promise.all([Promise.all(trainFiles.map(at)), at(testFile)]);
  return imageDataset(cifarImages(train, labelsOf, classNames), cifarImages([test], labelsOf, classNames), {
    ...config,
    name: kind,
  });
}

async function openLatents(config: LatentsConfig): Promise<Dataset> {
  const { path, arrays = {}, openTensors, beside = {}, layout = 'nhwc' } = config;
  const own = await readArrayFile(path, arrays, openTensors);
  const dataset = arrayDataset(own, basename(path), config, path);
  const others: Record<string, Dataset> = {};
  for (const [name, file] of Object.entries(beside)) {
    const { latents, isInteger, name: array } = await readArrayFile(file, {}, openTensors);
    const [rows, found] = [own.latents.shape[0], latents.shape[0]];
    if (rows !== found) {
      throw new DataError(`${file}: found ${found} rows, expected one for each of the ${rows} of ${path}.`);
    }
    const { heldOut, seed, flip, cropPadding, fromIfUnclear, classCount, labelMeaning } = config;
    // The classes are those of the images, after which the same rows are held out.
    const partner = {
      latents,
      isInteger,
      ...(array && { name: array }),
      ...(own.labels && { labels: own.labels }),
    };
    const alike = {
      heldOut,
      seed,
      flip,
      cropPadding,
      fromIfUnclear,
      classCount,
      labelMeaning,
      layout,
      stream: `latent ${name}`,
    };
    const given = Object.entries(alike).filter(([, value]) => value !== undefined);
    others[name] = arrayDataset(partner, file, Object.fromEntries(given), file);
  }
  return besideImages(dataset, others, layout);
}

function isFolder(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}
