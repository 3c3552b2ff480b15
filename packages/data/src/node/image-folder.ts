/**
 * A folder of images with a folder for each class. Everything is looked at once when it is opened (names in order, each
 * file's first bytes), so that what is no image is said before training and not in the middle of it; pixels are read
 * when they are needed.
 */
import { type Dirent } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '@meanflow/core';
import { imageSizeOf } from '../images/decode-image.js';
import { describeFileError } from './read-file.js';

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
}

/** Enough for the header of nearly every image; camera files may have more before it. */
const FIRST_BYTES = 4096;
const MORE_BYTES = 1 << 20;
/** Files that are looked at side by side. */
const CONCURRENCY = 16;

/** Names that begin with a dot are the file system's own. */
const isHidden = ({ name }: Dirent): boolean => name.startsWith('.');
const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The names of the folders in a folder, in order. @throws {DataError} when it cannot be read, or one is a link */
export async function foldersIn(path: string): Promise<string[]> {
  const entries = await entriesOf(path);
  for (const entry of entries) await checkNoLink(entry, join(path, entry.name));
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort(byName);
}

/**
 * Lists a folder whose folders are classes; what lies deeper belongs to the class.
 *
 * @param classes with `optional`, images that lie in the folder itself, or in a single folder in it, have no classes
 * @throws {DataError} naming the folder when it has fewer than two classes or one without images, or the file that is no
 *   image
 */
export async function listImages(
  folder: string,
  classes: 'required' | 'optional' = 'required',
): Promise<ImageListing> {
  const classNames = await foldersIn(folder);
  if (classNames.length < 2) {
    if (classes === 'optional') return listWithoutClasses(folder);
    const found = classNames.length === 0 ? 'no folder' : `one folder, "${classNames[0]}"`;
    throw new DataError(
      `${folder}: found ${found} in it, expected a folder of images for each of at least two classes. ` +
        'A model that is not told the class needs none: on the command line that is --unconditional.',
    );
  }
  const byClass = await Promise.all(classNames.map((name) => filesWithin(join(folder, name))));
  const empty = byClass.findIndex((files) => files.length === 0);
  if (empty >= 0) throw new DataError(`${join(folder, classNames[empty])}: there is no image in this class.`);
  const files = byClass.flat();
  return {
    classNames,
    files,
    labels: Int32Array.from(byClass.flatMap((of, label) => new Array<number>(of.length).fill(label))),
    commonSize: await commonSizeOf(files),
  };
}

async function listWithoutClasses(folder: string): Promise<ImageListing> {
  const files = await filesWithin(folder);
  if (files.length === 0) throw new DataError(`${folder}: there is no image in it.`);
  return { classNames: undefined, files, labels: undefined, commonSize: await commonSizeOf(files) };
}

/** All files of a folder and the folders in it, in order. */
async function filesWithin(folder: string): Promise<string[]> {
  const parts = await Promise.all(
    (await entriesOf(folder)).map(async (entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesWithin(path) : [path];
    }),
  );
  return parts.flat().sort(byName);
}

/** A class that is a link would otherwise be passed over without a word. */
async function checkNoLink(entry: Dirent, path: string): Promise<void> {
  if (!entry.isSymbolicLink()) return;
  const target = await stat(path).catch(() => undefined);
  if (target?.isDirectory()) {
    throw new DataError(
      `${path}: it is a link to a folder, which is not followed: put the folder itself there.`,
    );
  }
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return (await readdir(folder, { withFileTypes: true })).filter((entry) => !isHidden(entry));
  } catch (error) {
    throw describeFileError(folder, error, 'a folder of images');
  }
}

/** Looks at every file; the size that all have, if they do. */
async function commonSizeOf(files: readonly string[]): Promise<ImageListing['commonSize']> {
  const buffer = () => new Uint8Array(FIRST_BYTES);
  const sizes = new Set<string>();
  let next = 0;
  const look = async (): Promise<void> => {
    const first = buffer();
    while (next < files.length) {
      const { width, height } = await sizeOfFile(files[next++], first);
      sizes.add(`${height} ${width}`);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, look));
  if (sizes.size !== 1) return undefined;
  const [height, width] = [...sizes][0].split(' ').map(Number);
  return [height, width];
}

async function sizeOfFile(
  path: string,
  first: Uint8Array,
): Promise<{ readonly width: number; readonly height: number }> {
  try {
    const file = await open(path, 'r');
    try {
      const { bytesRead } = await file.read(first, 0, first.length, 0);
      const beginning = first.subarray(0, bytesRead);
      try {
        return imageSizeOf(beginning, path);
      } catch (error) {
        if (bytesRead < first.length) throw error;
        const more = new Uint8Array(MORE_BYTES);
        const { bytesRead: moreRead } = await file.read(more, 0, more.length, 0);
        return imageSizeOf(more.subarray(0, moreRead), path);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw error instanceof DataError ? error : describeFileError(path, error, 'an image');
  }
}
