/** Folders of images that belong to those of another folder, by name: `sketches/cat/1.png` to `photos/cat/1.jpg`. */
import { relative, sep } from 'node:path';
import { DataError } from '@meanflow/core';
import { looked, type ImageListing, type ListOptions } from './image-folder.js';
import { scanFolder, type FolderScan } from './scan-folder.js';

/**
 * The images of a folder in the order of those that they belong to, with the same classes.
 *
 * @param of the folder of these, its scan and what of it is listed
 * @param size height and width that all must have; undefined where they are cropped
 * @throws {DataError} when one has no partner, or a partner nothing that it belongs to, or sizes differ
 */
export async function partnersIn(
  path: string,
  of: { readonly root: string; readonly scan: FolderScan; readonly listings: readonly ImageListing[] },
  size: readonly [height: number, width: number] | undefined,
  options: Pick<ListOptions, 'maxImageBytes'> & { readonly followLinks: boolean },
): Promise<ImageListing[]> {
  const { images } = await scanFolder(path, options);
  const byStem = new Map<string, string>();
  for (const image of images) {
    const [stem, other] = [stemOf(image), byStem.get(stemOf(image))];
    if (other !== undefined) {
      throw new DataError(
        `${path}: "${other}" and "${image}" have one name, expected one image for each of ${of.root}.`,
      );
    }
    byStem.set(stem, image);
  }
  const known = new Set(of.scan.images.map(stemOf));
  const stray = [...byStem.keys()].find((stem) => !known.has(stem));
  if (stray !== undefined) {
    throw new DataError(
      `${path}: "${byStem.get(stray)!}" belongs to nothing: there is no "${stray}" of any ending among the ${of.scan.images.length} images of ${of.root}.`,
    );
  }
  const found: ImageListing[] = [];
  for (const { files, labels, classNames } of of.listings) {
    const stems = files.map((file) => stemOf(relative(of.root, file).split(sep).join('/')));
    const missing = stems.filter((stem) => !byStem.has(stem));
    if (missing.length > 0) {
      throw new DataError(
        `${path}: ${missing.length} of the ${files.length} images of ${of.root} have no partner there, such as "${missing[0]}": ` +
          `expected one of the same name, of any ending, for each; found ${images.length} images.`,
      );
    }
    const partners = stems.map((stem) => byStem.get(stem)!);
    const listing = await looked(path, partners, labels, classNames, 0, { ...options, skipDamaged: false });
    if (size !== undefined && listing.commonSize?.join() !== size.join()) {
      throw new DataError(
        `${path}: found images of ${listing.commonSize?.join(' by ') ?? 'different sizes'}, expected ${size.join(' by ')} as those of ` +
          `${of.root} are, or a size that all are cropped to (on the command line --image-size).`,
      );
    }
    found.push(listing);
  }
  return found;
}

/** A path without its ending. */
function stemOf(path: string): string {
  return path.replace(/\.[^./]*$/, '');
}
