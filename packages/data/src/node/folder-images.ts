/**
 * The files of an image folder as rows of pixels: read, decoded and cropped when they are asked for, by a thread of their
 * own, which decodes what will be asked for soon meanwhile. Decoded images are kept up to a number of bytes, the longest
 * unused going first. Neither changes what is read, only when.
 */
import { type ImageRows } from '../images/image-rows.js';
import { DecodingThread } from './decoding-thread.js';
import { type ImageListing } from './image-folder.js';
import { type ReadImageOptions } from './read-image.js';

/** What the images of a folder become. */
export interface FolderImageOptions extends ReadImageOptions {
  /** Most bytes of decoded images that are kept. */
  readonly cacheBytes: number;
  /** Whether images are decoded ahead. */
  readonly readAhead: boolean;
}

/** The rows of a listing. */
export function folderImages(
  { files, labels, classNames }: ImageListing,
  options: FolderImageOptions,
): ImageRows {
  const { imageShape, cacheBytes } = options;
  const capacity = Math.floor(cacheBytes / (imageShape[0] * imageShape[1] * imageShape[2]));
  const kept = new Map<number, Uint8Array>();
  const keep = (row: number, pixels: Uint8Array): void => {
    if (capacity < 1) return;
    if (kept.size >= capacity) kept.delete(kept.keys().next().value!);
    kept.set(row, pixels);
  };
  // It starts when there is something to do.
  let thread: DecodingThread | undefined;
  return {
    imageShape,
    count: files.length,
    labels,
    classNames,
    read: (row) => {
      const known = kept.get(row);
      if (known !== undefined) {
        kept.delete(row);
        kept.set(row, known);
        return known;
      }
      thread ??= new DecodingThread(files, options);
      const pixels = thread.take(row);
      keep(row, pixels);
      return pixels;
    },
    readAhead: (rows) => {
      if (!options.readAhead || capacity < 1) return;
      thread ??= new DecodingThread(files, options);
      thread.request([...new Set(rows)].filter((row) => !kept.has(row)).slice(0, capacity));
    },
  };
}
