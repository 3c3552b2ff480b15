/**
 * A folder of images with a folder for each class. Everything is looked at once when it is opened (names in order, each
 * file's header), so that what cannot be read is said before training and not in the middle of it; pixels are read when they
 * are needed. What is no row is counted and said.
 */
import { join } from 'node:path';
import { DataError } from '@meanflow/core';
import { UnreadableImage } from '../images/unreadable-image.js';
import { inParallel } from './in-parallel.js';
import { advise, decodeFile } from './read-image.js';
import { byName, type FolderScan } from './scan-folder.js';
import { imageSizeOf } from './sharp.js';
import { foldersWithImages } from './split-folders.js';

/** The image files of a folder by class. */
export interface ImageListing {
  /** In order; undefined where there are no classes. */
  readonly classNames: readonly string[] | undefined;
  /** Paths, class by class, each in order. */
  readonly files: readonly string[];
  /** The class of each file. */
  readonly labels: Int32Array | undefined;
  /** Height and width of the images, where all are of one size. */
  readonly commonSize: readonly [height: number, width: number] | undefined;
  /** Images that are no rows because they cannot be read. */
  readonly damaged: readonly UnreadableImage[];
  /** Images that lie beside the folders of classes. */
  readonly looseImages: number;
}

export interface ListOptions {
  /** With `optional`, images that lie in the folder itself, or in a single folder in it, have no classes. */
  readonly classes: 'required' | 'optional';
  /** Leave out images that cannot be decoded. All are decoded once to find them. */
  readonly skipDamaged: boolean;
  /** Most bytes that the pixels of a file may take. */
  readonly maxImageBytes: number;
  /** The classes that the images to learn from have, for those to judge by. */
  readonly classNames?: readonly string[] | undefined;
}

/** Files that are looked at side by side. */
const CONCURRENCY = 16;

/**
 * Lists a folder whose folders are classes; what lies deeper belongs to the class.
 *
 * @param root the folder that was scanned
 * @param within the part of it that is listed: the name of a folder, or ''
 * @throws {DataError} naming the folder when it has fewer than two classes or no image, or the file that cannot be read
 */
export async function listImages(
  root: string,
  scan: FolderScan,
  within: string,
  options: ListOptions,
): Promise<ImageListing> {
  const folder = join(root, within);
  const start = within === '' ? '' : `${within}/`;
  const images = scan.images.filter((image) => image.startsWith(start));
  if (images.length === 0)
    throw new DataError(`${folder}: there is no image in it, expected a folder of images.${linksText(scan)}`);
  const found = [...foldersWithImages(scan, within)].sort(byName);
  const classNames = options.classNames ?? (found.length < 2 ? undefined : found);
  if (classNames === undefined) {
    if (options.classes === 'optional') return looked(root, images, undefined, undefined, 0, options);
    throw noClasses(folder, found, scan);
  }
  const stray = found.find((name) => !classNames.includes(name));
  if (stray !== undefined) {
    throw new DataError(
      `${join(folder, stray)}: the images to learn from have no class "${stray}", but ${classNames.join(', ')}.`,
    );
  }
  const byClass = new Map(classNames.map((name) => [name, [] as string[]]));
  for (const image of images) byClass.get(image.slice(start.length).split('/')[0]!)?.push(image);
  const rows = [...byClass.values()];
  const files = rows.flat();
  const labels = Int32Array.from(rows.flatMap((of, label) => new Array<number>(of.length).fill(label)));
  return looked(root, files, labels, classNames, images.length - files.length, options);
}

function noClasses(folder: string, names: readonly string[], scan: FolderScan): DataError {
  const found = names.length === 0 ? 'no folder' : `one folder with images, "${names[0]}",`;
  return new DataError(
    `${folder}: found ${found} in it, expected a folder of images for each of at least two classes.${linksText(scan)} ` +
      'A model that is not told the class needs none: on the command line that is --unconditional.',
  );
}

function linksText({ links, broken }: FolderScan): string {
  const some = (of: readonly string[]): string =>
    `${of.length} ${of.length === 1 ? 'link' : 'links'} (${of[0]}${of.length > 1 ? ', …' : ''})`;
  if (broken.length > 0) return ` ${some(broken)} ${broken.length === 1 ? 'leads' : 'lead'} nowhere.`;
  if (links.length === 0) return '';
  return ` ${some(links)} ${links.length === 1 ? 'is' : 'are'} not followed: followLinks, on the command line --follow-links.`;
}

/** The listing of files that were looked at, without those that cannot be read where these are to be left out. */
export async function looked(
  root: string,
  images: readonly string[],
  labels: Int32Array | undefined,
  classNames: readonly string[] | undefined,
  looseImages: number,
  options: Pick<ListOptions, 'skipDamaged' | 'maxImageBytes'>,
): Promise<ImageListing> {
  const files = images.map((image) => join(root, image));
  const sizes = new Set<string>();
  const damaged = new Map<number, UnreadableImage>();
  await inParallel(files, CONCURRENCY, async (file, row) => {
    try {
      const { width, height } = await lookAt(file, options);
      sizes.add(`${height} ${width}`);
    } catch (error) {
      if (!options.skipDamaged || !(error instanceof UnreadableImage)) advise(error);
      damaged.set(row, error);
    }
  });
  const rows = [...files.keys()].filter((row) => !damaged.has(row));
  if (rows.length === 0) {
    throw new DataError(
      `${root}: none of its ${files.length} images can be read: ${[...damaged.values()][0]!.message}`,
    );
  }
  const [size = ''] = sizes;
  return {
    classNames,
    files: rows.map((row) => files[row]!),
    labels: labels && Int32Array.from(rows, (row) => labels[row]!),
    commonSize: sizes.size === 1 ? (size.split(' ').map(Number) as [number, number]) : undefined,
    damaged: [...damaged.keys()].sort((a, b) => a - b).map((row) => damaged.get(row)!),
    looseImages,
  };
}

/** The size of an image; where damaged ones are looked for, as it comes out of the decoder. */
async function lookAt(
  file: string,
  { skipDamaged, maxImageBytes }: Pick<ListOptions, 'skipDamaged' | 'maxImageBytes'>,
): Promise<{ readonly width: number; readonly height: number }> {
  const size = await imageSizeOf(file, maxImageBytes);
  if (skipDamaged) await decodeFile(file, maxImageBytes);
  return size;
}
